import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { must, mustSync, ran, start } from '../../support/process.ts';
import { tempDir } from '../../support/temp.ts';
import { makePlace } from '../run/place.ts';
import { HOOKS } from './ground.ts';

/** The numbers of an account of this machine. */
function account(name: string): { readonly uid: number; readonly gid: number } {
  const number = (flag: string) => Number(mustSync(['id', flag, name]).toString());
  return { uid: number('-u'), gid: number('-g') };
}

function ownedDir(name: string, owner: { readonly uid: number; readonly gid: number }): string {
  const directory = tempDir(name);
  chownSync(directory, owner.uid, owner.gid);
  return directory;
}

describe('PostgreSQL', () => {
  needs('root', 'postgres');

  it('is dumped, database by database, and comes back whole', async () => {
    const owner = account('postgres');
    const home = ownedDir('postgres', owner);
    const bin = mustSync(['sh', '-c', 'ls -d /usr/lib/postgresql/*/bin | tail -n 1']).toString().trim();
    const as = { ...owner, cwd: home, env: { PGHOST: home, HOME: home } };
    await must([`${bin}/initdb`, '-D', `${home}/data`, '--auth=peer', '-N'], as);
    const settings = ['listen_addresses=', `unix_socket_directories=${home}`, 'fsync=off'];
    const options = settings.flatMap((each) => ['-c', each]);
    const server = start([`${bin}/postgres`, '-D', `${home}/data`, ...options], as);
    await server.line(/ready to accept connections/);
    const sql = async (database: string, text: string) =>
      (await must(['psql', '-XAtqd', database, '-c', text], as)).out.trim();
    await sql('postgres', 'create database shop');
    await sql('postgres', `create database "it's a name"`);
    await sql('postgres', 'create role seller');
    await sql(
      'shop',
      `create table things (id int primary key, name text); grant select on things to seller;
      insert into things select n, 'Käse ' || n from generate_series(1, 5000) n`,
    );
    await sql(`it's a name`, 'create table t (x int); insert into t values (42)');
    const dumps = tempDir('dumps');
    const env = { PG_DUMP_DIR: dumps, PGHOST: home };
    const dumped = await must([`${HOOKS}/pg-dump`], { env });
    expect(dumped.out).toMatch(/^pg-dump: shop: \d+ bytes in shop\.dump$/m);
    const names = readdirSync(dumps).toSorted();
    expect(names).toEqual(expect.arrayContaining(['globals.sql', 'postgres.dump', 'shop.dump']));
    expect(names).toHaveLength(4);
    expect(statSync(`${dumps}/shop.dump`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${dumps}/globals.sql`, 'utf8')).toContain('CREATE ROLE seller');

    await sql('postgres', 'create database again');
    await must(['pg_restore', '-d', 'again'], { ...as, input: readFileSync(`${dumps}/shop.dump`) });
    const all = `select md5(string_agg(id || name, ',' order by id)), count(*) from things`;
    expect(await sql('again', all)).toBe(await sql('shop', all));
    const odd = names.find((name) => name.startsWith('oid-')) ?? '';
    await sql('postgres', 'create database "odd again"');
    await must(['pg_restore', '-d', 'odd again'], { ...as, input: readFileSync(`${dumps}/${odd}`) });
    expect(await sql('odd again', 'select x from t')).toBe('42');

    // One database that can't be read in time fails the hook; its old dump stays, and the others are made anew.
    const before = readFileSync(`${dumps}/shop.dump`);
    const lock = "do $$ begin lock things; raise notice 'locked'; perform pg_sleep(600); end $$";
    const locked = start(['psql', '-Xd', 'shop', '-c', lock], as);
    await locked.line(/locked/);
    const stuck = await ran([`${HOOKS}/pg-dump`], {
      env: { ...env, PG_DUMP_LOCK_SECONDS: '1' },
    });
    // The server would sleep on without its client.
    const asleep = "from pg_stat_activity where query like 'do %' and pid <> pg_backend_pid()";
    await sql('postgres', `select pg_terminate_backend(pid, 10000) ${asleep}`);
    await locked.stop();
    expect(stuck.code).toBe(1);
    expect(stuck.err).toContain('pg-dump: shop: the dump failed; that of before is kept');
    expect(stuck.out).toContain('pg-dump: again:');
    expect(readFileSync(`${dumps}/shop.dump`).equals(before)).toBe(true);

    await sql('postgres', 'drop database again');
    await must([`${HOOKS}/pg-dump`], { env });
    expect(existsSync(`${dumps}/again.dump`)).toBe(false);
    const missing = await ran([`${HOOKS}/pg-dump`], { env: { ...env, PG_DUMP_DATABASES: 'shop nothing' } });
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('there is no database nothing');
    await server.stop();
    const gone = await ran([`${HOOKS}/pg-dump`], { env });
    expect(gone.code).toBe(1);
    expect(readFileSync(`${dumps}/shop.dump`).subarray(0, 5).toString()).toBe('PGDMP');
    expect(readdirSync(dumps).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('MariaDB', () => {
  needs('root', 'mariadb');

  it('is dumped, database by database, and comes back whole', async () => {
    const owner = account('mysql');
    const home = ownedDir('mariadb', owner);
    const data = `--datadir=${home}/data`;
    const socket = `${home}/socket`;
    await must(['mariadb-install-db', '--no-defaults', data, '--user=mysql', '--skip-test-db'], {
      env: { TMPDIR: home },
    });
    const server = start(
      ['mariadbd', '--no-defaults', data, `--socket=${socket}`, '--skip-networking', '--user=mysql'],
      { cwd: home, env: { TMPDIR: home } },
    );
    await server.line(/ready for connections/);
    const sql = async (text: string) =>
      (await must(['mariadb', '--no-defaults', `--socket=${socket}`, '-BN', '-e', text])).out.trim();
    await sql(`create database shop; use shop; create table things (id int primary key, name text character set utf8mb4);
      insert into things select seq, concat('Käse ', seq) from seq_1_to_5000;
      create procedure twice(n int) select n * 2;
      create database \`it's a name\``);
    const all = 'select count(*), md5(group_concat(id order by id)), min(name), max(name) from shop.things';
    const before = await sql(all);
    const dumps = tempDir('dumps');
    const env = { MYSQL_DUMP_DIR: dumps, MYSQL_SOCKET: socket };
    await must([`${HOOKS}/mysql-dump`], { env });
    expect(readdirSync(dumps)).toEqual(expect.arrayContaining(['shop.sql', 'mysql.sql']));
    await sql('drop database shop');
    await must(['mariadb', '--no-defaults', `--socket=${socket}`], {
      input: readFileSync(`${dumps}/shop.sql`),
    });
    expect(await sql(all)).toBe(before);
    expect(await sql('call shop.twice(21)')).toBe('42');

    await sql('use shop; create view broken as select id from things; alter table things drop column id');
    const failed = await ran([`${HOOKS}/mysql-dump`], { env });
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('mysql-dump: shop: the dump failed; that of before is kept');
    expect(readFileSync(`${dumps}/shop.sql`, 'utf8')).toContain('CREATE TABLE `things`');
    await server.stop();
    const gone = await ran([`${HOOKS}/mysql-dump`], { env });
    expect(gone.code).toBe(1);
    expect(existsSync(`${dumps}/shop.sql`)).toBe(true);
  });
});

describe('SQLite', () => {
  needs('root', 'rsync', 'sqlite');

  const sqlite = async (file: string, text: string) =>
    (await must(['sqlite3', '-batch', file, text])).out.trim();

  it('is copied while it is written, by a run, and comes back out of the image', async () => {
    const place = makePlace();
    const database = `${place.source}/my data.db`;
    await sqlite(database, 'pragma journal_mode=wal; create table t (n int); insert into t values (1), (2)');
    place.configure(
      `pre-client: SQLITE_BACKUP_DIR=${place.source}/backup ${HOOKS}/sqlite-backup '${database}'\n`,
    );
    // A transaction that is still open: not in the backup.
    const writer = start(['sqlite3', '-batch', database], {
      input: "begin immediate; insert into t values (3);\nselect 'writing';\n.shell exec sleep 600\n",
    });
    await writer.line(/writing/);
    await place.image('i1');
    await writer.stop();
    const [name = ''] = readdirSync(`${place.vault}/i1/tree/backup`);
    expect(name).toBe(database.slice(1).replaceAll('/', '%'));
    const second = `${tempDir('second')}/restored.db`;
    mustSync(['cp', `${place.vault}/i1/tree/backup/${name}`, second]);
    expect(await sqlite(second, 'pragma integrity_check; select group_concat(n) from t')).toBe('ok\n1,2');
  });

  it('fails for what is no database, is broken, empty or not there, and keeps the copy of before', async () => {
    const home = tempDir('sqlite');
    const env = { SQLITE_BACKUP_DIR: `${home}/backup` };
    const good = `${home}/good.db`;
    await sqlite(good, "create table t (x); insert into t values ('a'); create index i on t (x)");
    const broken = `${home}/broken.db`;
    await sqlite(
      broken,
      'create table t (x); insert into t values (randomblob(20000)); create index i on t (x)',
    );
    await must([`${HOOKS}/sqlite-backup`, good, broken], { env });
    const copy = `${home}/backup/${broken.slice(1).replaceAll('/', '%')}`;
    const before = readFileSync(copy);
    const bytes = readFileSync(broken);
    bytes.fill(0xff, 4096, 8192);
    writeFileSync(broken, bytes);
    writeFileSync(`${home}/empty.db`, '');
    for (const file of [broken, `${home}/empty.db`, `${home}/missing.db`, '/etc/passwd']) {
      const failed = await ran([`${HOOKS}/sqlite-backup`, good, file], { env });
      expect(failed.code).toBe(1);
      expect(failed.err).toContain(`sqlite-backup: ${file}: the copy failed`);
      expect(failed.out).toContain(`sqlite-backup: ${good}: `);
    }
    expect(readFileSync(copy).equals(before)).toBe(true);
    expect(existsSync(`${home}/missing.db`)).toBe(false);
    expect((await ran([`${HOOKS}/sqlite-backup`], { env })).code).toBe(2);
  });
});

describe('git repositories', () => {
  needs('git');

  it('are cloned, then fetched; one that is gone or empty is a failure, and its mirror stays', async () => {
    const home = tempDir('git');
    const env = {
      GIT_MIRRORS_LIST: `${home}/list`,
      GIT_MIRRORS_DIR: `${home}/mirrors`,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    };
    const git = async (directory: string, ...args: string[]) =>
      (await must(['git', '-C', directory, ...args], { env })).out.trim();
    for (const name of ['one', 'two']) {
      mkdirSync(`${home}/${name}`);
      await git(`${home}/${name}`, 'init', '-q', '-b', 'main');
      await git(`${home}/${name}`, 'commit', '-q', '--allow-empty', '-m', 'first');
    }
    writeFileSync(`${home}/list`, `# mirrors\n${home}/one\n\n${home}/two second # a name\n`);
    await must([`${HOOKS}/git-mirrors`], { env });
    await git(`${home}/one`, 'commit', '-q', '--allow-empty', '-m', 'more');
    await git(`${home}/one`, 'tag', 'v1');
    await must([`${HOOKS}/git-mirrors`], { env });
    const head = await git(`${home}/one`, 'rev-parse', 'HEAD');
    expect(await git(`${home}/mirrors/one.git`, 'rev-parse', 'main')).toBe(head);
    expect(await git(`${home}/mirrors/one.git`, 'tag')).toBe('v1');
    await must(['git', 'clone', '-q', `${home}/mirrors/second.git`, `${home}/restored`], { env });

    await git(`${home}/one`, 'update-ref', '-d', 'HEAD');
    writeFileSync(`${home}/list`, `${home}/one\n${home}/nothing\n${home}/two second\n-x\n`);
    const failed = await ran([`${HOOKS}/git-mirrors`], { env });
    expect(failed.code).toBe(1);
    expect(failed.err).toMatch(/one: .*can't be fetched/);
    expect(failed.err).toMatch(/nothing: .*can't be fetched/);
    expect(failed.err).toContain('-x -x: not a name');
    expect(failed.out).toContain('git-mirrors: second: 1 refs');
    expect(await git(`${home}/mirrors/one.git`, 'rev-parse', 'main')).toBe(head);
    expect(readdirSync(`${home}/mirrors`).toSorted()).toEqual(['one.git', 'second.git']);
  });
});
