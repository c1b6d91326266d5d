import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { sshd } from '../../support/sshd.ts';
import { fill, makePlace } from '../run/place.ts';

needs('root', 'rsync', 'sshd');

const TEMPLATE = join(import.meta.dirname, '../../../hooks/template');

it('runs hooks on the client', async () => {
  const server = await sshd();
  const place = makePlace({
    client: 'box',
    vault: `rsh: ${server.rsh}\npre-client: ${TEMPLATE} a\npost-client: echo out; echo err >&2; exit 7\n`,
  });
  fill(place.source);
  const ran = await place.call(['run', 'v', '--image', 'i1']);
  expect(ran.err + ran.out).toContain('hook post-client: failed 7');
  expect(readFileSync(`${place.vault}/i1/log`, 'utf8')).toContain(`pre-client| directory ${place.source}`);
  expect(ran.code).toBe(9);
});
