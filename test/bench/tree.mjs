import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

const FILES_A_DIRECTORY = 20;
const MEAN_BYTES = 4096;

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A tree of that many files, twenty in a directory, of exponentially distributed sizes around `meanBytes`. It is the
 * same tree for the same number. Gives what changes it, a round at a time.
 */
export function generateTree(root, files, meanBytes = MEAN_BYTES) {
  const random = randomFrom(files);
  const noise = Buffer.alloc(1 << 20);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(Math.floor(random() * 4294967296), at);
  const content = () => {
    const size = Math.min(noise.length / 2, Math.floor(-Math.log(1 - random()) * meanBytes));
    const from = Math.floor(random() * (noise.length - size));
    return noise.subarray(from, from + size);
  };
  const write = (path) => writeFileSync(`${root}/${path}`, content());
  let made = 0;
  const fresh = () => {
    const directory = Math.floor(made / FILES_A_DIRECTORY);
    const path = `${String(directory % 100).padStart(2, '0')}/${directory}`;
    if (made % FILES_A_DIRECTORY === 0) mkdirSync(`${root}/${path}`, { recursive: true });
    made += 1;
    return `${path}/file-${made}`;
  };
  const paths = [];
  const grow = () => {
    const path = fresh();
    write(path);
    paths.push(path);
  };
  while (paths.length < files) grow();
  return {
    /** Of the files: eight in ten are rewritten, one is deleted, and one comes new. */
    change: (percent) => {
      const count = Math.round((files * percent) / 100);
      const added = Math.round(count / 10);
      const deleted = Math.round(count / 10);
      for (let each = 0; each < count - added - deleted; each += 1) {
        write(paths[Math.floor(random() * paths.length)]);
      }
      for (let each = 0; each < deleted; each += 1) {
        const at = Math.floor(random() * paths.length);
        rmSync(`${root}/${paths[at]}`);
        paths[at] = paths.at(-1);
        paths.pop();
      }
      for (let each = 0; each < added; each += 1) grow();
      return { changed: count - added - deleted, deleted, added };
    },
    /** Every file is written anew. */
    changeAll: () => {
      for (const path of paths) write(path);
      return { changed: paths.length, deleted: 0, added: 0 };
    },
  };
}
