const HERE = Buffer.from(' .');
const NEWLINE = Buffer.from('\n');

/** A line of `find . -ls` with `.` replaced by the tree's name on the client. Columns before it hold no ` .`. */
export function indexLine(line: Buffer, alias: Buffer): Buffer {
  const at = line.indexOf(HERE);
  if (at < 0) return Buffer.concat([line, NEWLINE]);
  const rest = line.subarray(at + HERE.length);
  const name = rest.length === 0 && alias.length === 0 ? Buffer.from('/') : Buffer.concat([alias, rest]);
  return Buffer.concat([line.subarray(0, at + 1), name, NEWLINE]);
}
