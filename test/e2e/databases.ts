import { debianTarball } from '../debian.js';
import { kubectl, ok } from './shell.js';

const image = 'localhost/databases:1';

/** Makes an image of Debian's PostgreSQL and Redis, once, and loads it into the running cluster. */
export async function loadDatabases(signal: AbortSignal): Promise<void> {
  const root = await debianTarball('databases', ['postgresql', 'redis-server'], signal);
  // The account that loads it cannot look into root's cache.
  const build = `bin/u7s.js image build-from - --name ${image} --cmd /bin/sh --load <"$1"`;
  await ok('sh', ['-c', build, 'sh', root]);
}

type Database = { name: string; port: number; user: number; script: string; probe: string };

const claimed = ({ name, port, user, script, probe }: Database): object => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    serviceName: name,
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 5,
        securityContext: { runAsUser: user, runAsGroup: user, fsGroup: user },
        containers: [
          {
            name: 'main',
            image,
            imagePullPolicy: 'Never',
            command: ['/bin/sh', '-c', script],
            ports: [{ containerPort: port }],
            readinessProbe: {
              exec: { command: ['/bin/sh', '-c', probe] },
              periodSeconds: 1,
              timeoutSeconds: 10,
            },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
});

/** As their images do it: the data is made by the first start, and found by later ones. */
export const databases: readonly object[] = [
  claimed({
    name: 'postgres',
    port: 5432,
    user: 65534,
    script: `set -e; export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
      [ -e /data/db/PG_VERSION ] || initdb -D /data/db --username=test --auth=trust >/dev/null
      chmod 700 /data/db # fsGroup has opened it
      exec postgres -D /data/db -k /tmp`,
    probe: 'psql -h /tmp -U test -d postgres -c "SELECT 1"',
  }),
  claimed({
    name: 'redis',
    port: 6379,
    user: 54321,
    script: 'exec redis-server --dir /data --appendonly yes --appendfsync always',
    probe: 'redis-cli ping | grep PONG',
  }),
];

const sql = (words: string): Promise<string> =>
  kubectl('exec', 'postgres-0', '--', 'psql', '-h', '/tmp', '-U', 'test', '-d', 'postgres', '-qtAc', words);
const redis = (...words: string[]): Promise<string> =>
  kubectl('exec', 'redis-0', '--', 'redis-cli', ...words);

export async function databasesRun(): Promise<void> {
  for (const name of ['postgres', 'redis'])
    await kubectl('rollout', 'status', `statefulset/${name}`, '--timeout=120s');
}

export async function fillDatabases(): Promise<void> {
  await sql('CREATE TABLE kept AS SELECT n, md5(n::text) AS word FROM generate_series(1, 10000) n');
  await redis('SET', 'kept', 'word');
}

/** What they answer of what they were filled with. */
export async function askDatabases(): Promise<{ rows: string; key: string }> {
  const rows = await sql('SELECT count(*), bool_and(word = md5(n::text)) FROM kept');
  return { rows: rows.trim(), key: (await redis('GET', 'kept')).trim() };
}

export const kept = { rows: '10000|t', key: 'word' };
