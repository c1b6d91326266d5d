import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, mustSync, ran, type Ran } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';

const SETUP = new URL('../../../setup', import.meta.url).pathname;

interface Project {
  readonly directory: string;
  readonly setup: (...args: string[]) => Promise<Ran>;
  /** What npm was called with since the last look. */
  readonly npmCalls: () => string[];
}

/** A project with little in it, and an npm that only notes what it is asked for; more programs can be put before it. */
function project(
  programs: Readonly<Record<string, string>> = {},
  path = '/usr/bin:/bin:/usr/sbin:/sbin',
): Project {
  const directory = tempDir('project');
  const calls = `${directory}/calls`;
  mkdirSync(`${directory}/src`);
  mkdirSync(`${directory}/bin`);
  copyFileSync(SETUP, `${directory}/setup`);
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'src/main.ts']) {
    writeFileSync(`${directory}/${name}`, '{}');
  }
  const npm = `echo "$@" >> ${calls}\ncase $1 in ci) mkdir -p node_modules ;; run) touch dist/main.js ;; esac`;
  const node = `exec ${process.execPath} "$@"`;
  for (const [name, text] of Object.entries({ node, npm, ...programs })) {
    writeFileSync(`${directory}/bin/${name}`, `#!/bin/sh\n${text}\n`);
    chmodSync(`${directory}/bin/${name}`, 0o755);
  }
  return {
    directory,
    setup: (...args) => ran([`${directory}/setup`, ...args], { env: { PATH: `${directory}/bin:${path}` } }),
    npmCalls: () => {
      const lines = mustSync(['sh', '-c', `touch ${calls}; cat ${calls}`])
        .toString()
        .split('\n')
        .slice(0, -1);
      rmSync(calls);
      return lines;
    },
  };
}

describe('setup', () => {
  needs('rsync');

  test('does what is needed, and nothing twice', async () => {
    const { directory, setup, npmCalls } = project();
    expect(await setup()).toMatchObject({
      code: 0,
      out: 'setup: installing npm packages\nsetup: building\nsetup: ready\n',
    });
    expect(npmCalls()).toEqual(['ci --silent --no-progress', 'run --silent build']);

    const begun = performance.now();
    expect(await setup()).toMatchObject({ code: 0, out: 'setup: ready\n', err: '' });
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(npmCalls()).toEqual([]);

    await must(['touch', '-d', '+1 minute', `${directory}/src/main.ts`]);
    await setup();
    expect(npmCalls()).toEqual(['run --silent build']);

    appendFileSync(`${directory}/package-lock.json`, '\n');
    await must(['touch', '-d', '-1 minute', `${directory}/src/main.ts`]);
    await setup();
    expect(npmCalls()).toEqual(['ci --silent --no-progress']);
  });

  test.each([
    ['v18.20.4', 1],
    ['v20.18.3', 1],
    ['v20.19.0', 0],
    ['v22.1.0', 0],
  ])('with node %s ends with %i', async (version, code) => {
    const result = await project({ node: `echo ${version}` }).setup();
    expect(result.code).toBe(code);
    if (code === 1) expect(result.err).toMatch(/20\.19 or later is needed/);
  });

  test('refuses an rsync that is too old, and one that is another program', async () => {
    const old = await project({ rsync: 'echo "rsync  version 3.0.9  protocol version 30"' }).setup();
    expect(old).toMatchObject({ code: 1, err: 'setup: rsync is 3.0.9, but 3.1 or later is needed\n' });
    const other = await project({ rsync: 'echo "openrsync: protocol version 29"' }).setup();
    expect(other.code).toBe(1);
  });

  test('says what to install where there is no apt', async () => {
    const tools = tempDir('tools');
    for (const tool of [
      'sh',
      'dirname',
      'awk',
      'sort',
      'id',
      'ssh',
      'ssh-keygen',
      'flock',
      'xargs',
      'cp',
      'gzip',
      'bzip2',
      'getfattr',
      'setfattr',
      'nice',
      'ionice',
    ]) {
      mustSync(['sh', '-c', `ln -s "$(command -v ${tool})" ${tools}/${tool}`]);
    }
    // The directories for administrators are always looked through; there is no rsync there.
    const { code, err } = await project({}, tools).setup();
    expect(code).toBe(1);
    expect(err).toMatch(
      /^setup: missing: rsync util-linux\. Install them with your system's package manager/,
    );
  });

  test('takes no other arguments', async () => {
    expect(await project().setup('--tests')).toMatchObject({ code: 2, err: 'usage: ./setup [--test]\n' });
  });
});

describe('setup --test leaves no cron job of dirvish armed', () => {
  needs('root', 'mount', 'dirvish');

  /** Runs it with a /etc/cron.d and /etc/dirvish of their own; what is in /etc/cron.d afterwards. */
  async function cronAfter(job: string, inUse: boolean): Promise<string> {
    const { directory } = project();
    writeFileSync(`${directory}/job`, job);
    const script = `
      set -e
      mount -t tmpfs none /etc/cron.d
      mount -t tmpfs none /etc/dirvish
      cp ${directory}/job /etc/cron.d/dirvish
      ${inUse ? 'touch /etc/dirvish/master.conf' : ''}
      ${directory}/setup --test >&2
      ls /etc/cron.d`;
    const env = { PATH: `${directory}/bin:/usr/bin:/bin:/usr/sbin:/sbin` };
    return (await must(['unshare', '--mount', 'sh', '-c', script], { env })).out.trim();
  }

  /** As it came with the package; setup has moved it away on this machine. */
  function packaged(): string {
    return readFileSync('/etc/cron.d/dirvish.disabled', 'utf8');
  }

  test('that nobody uses', async () => {
    expect(await cronAfter(packaged(), false)).toBe('dirvish.disabled');
  });

  test('but one that somebody uses or has changed', async () => {
    expect(await cronAfter(packaged(), true)).toBe('dirvish');
    expect(await cronAfter('5 5 * * * root /usr/local/sbin/mine\n', false)).toBe('dirvish');
  });
});
