import type { CommandSpec, ParsedArgs } from './spec.ts';

/** Values by the long name of their option, and by the name of their argument. */
export type Values = ReadonlyMap<string, string | boolean | readonly string[]>;

/** A parsed command line to ask by the names of the spec. Asking for what the spec lacks is a bug of ours. */
export function parsedArgs(spec: CommandSpec, argumentValues: Values, optionValues: Values): ParsedArgs {
  const value = (kind: 'argument' | 'option', name: string) => {
    const declared = kind === 'argument' ? spec.arguments : spec.options;
    if (!declared.some((each) => each.name === name)) throw new Error(`${spec.name} has no ${kind} ${name}`);
    return (kind === 'argument' ? argumentValues : optionValues).get(name);
  };
  const text = (kind: 'argument' | 'option', name: string) => {
    const found = value(kind, name);
    return typeof found === 'string' ? found : undefined;
  };
  return {
    argument: (name) => text('argument', name),
    required: (name) => {
      const found = text('argument', name);
      if (found === undefined) throw new Error(`${spec.name} does not require its argument ${name}`);
      return found;
    },
    all: (name) => {
      const kind = spec.arguments.some((each) => each.name === name) ? 'argument' : 'option';
      const found = value(kind, name);
      return Array.isArray(found) ? found : [];
    },
    option: (name) => text('option', name),
    flag: (name) => value('option', name) === true,
  };
}
