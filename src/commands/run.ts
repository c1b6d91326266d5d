import type { CommandSpec } from './spec.ts';

export const spec: CommandSpec = {
  name: 'run',
  summary: 'make one image of a vault now',
  description:
    'Makes one image: asks rsync what changed since the reference image, judges the change, links what is unchanged and transfers the rest. The image is listed only when all of it is on the disk.',
  arguments: [{ name: 'VAULT[:BRANCH]', summary: 'vault to run, and one of its branches', required: true }],
  options: [
    { name: 'init', summary: 'make a first image, without a reference' },
    { name: 'image', value: 'NAME', summary: 'name of the new image, instead of image-default' },
    { name: 'image-time', value: 'TIME', summary: 'time the image stands for, instead of now' },
    { name: 'reference', value: 'IMAGE', summary: 'image to compare with, instead of the newest good one' },
    { name: 'expire', value: 'TIME', summary: 'when the image may be deleted, instead of the rules' },
    { name: 'engine', value: 'ENGINE', summary: 'how to make it', choices: ['auto', 'delta', 'link-dest'] },
    { name: 'adopt-bank', summary: 'take the bank for a new one in the place of another' },
    { name: 'ignore-space', summary: 'run even if the disk seems too small' },
    { name: 'lock-wait', value: 'DURATION', summary: 'wait this long for another run to end; default 0' },
  ],
  examples: [
    'vault run laptop-root',
    "vault run laptop-root:weekly --expire '+6 months'",
    'vault run etc --dry-run',
  ],
  changes: true,
};
