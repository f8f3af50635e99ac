import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '#src/kube/client.js';
import type { KubeObject } from '#src/kube/object.js';
import { createRandom } from './random.js';
import type { Subject } from './subject.js';

const namespace = 'faults';
const writes = 1_000;
const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
const ledger = `${configMaps}/ledger`;

type ConfigMap = KubeObject & { data?: Record<string, string> };

const objectOf = (kind: string, name: string, data?: object): object => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...(data === undefined ? {} : { data }),
});

/** What is written to each object, by its name. */
function contentOf(seed: number): Map<string, string> {
  const random = createRandom(seed);
  const hex = (): string => Math.floor(random() * 2 ** 32).toString(16);
  return new Map(
    Array.from({ length: writes }, (_, n) => [
      `write-${String(n).padStart(4, '0')}`,
      Array.from({ length: 16 }, hex).join('-'),
    ]),
  );
}

/** A thousand writes, each acknowledged by the API server before this returns. */
export async function writeData(subject: Subject, seed: number): Promise<void> {
  const client = await subject.client();
  try {
    await client.request('POST', '/api/v1/namespaces', { body: objectOf('Namespace', namespace) });
    await client.request('POST', configMaps, { body: objectOf('ConfigMap', 'ledger', { entry: '0' }) });
    const left = [...contentOf(seed)];
    const write = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [name, content] = next;
        await client.request('POST', configMaps, { body: objectOf('ConfigMap', name, { content }) });
      }
    };
    await Promise.all(Array.from({ length: 16 }, write));
  } finally {
    client.close();
  }
}

/** What of the thousand is missing, changed or too much. */
export async function damages(subject: Subject, seed: number): Promise<string[]> {
  const client = await subject.client();
  try {
    const { items } = await client.get<{ items: ConfigMap[] }>(configMaps);
    const found = new Map(items.map(({ metadata, data }) => [metadata.name, data?.['content']]));
    const expected = contentOf(seed);
    const own = [...found.keys()].filter((name) => name.startsWith('write-'));
    return [
      ...[...expected].flatMap(([name, content]) =>
        found.get(name) === content ? [] : [found.has(name) ? `${name} is changed` : `${name} is lost`],
      ),
      ...own.filter((name) => !expected.has(name)).map((name) => `${name} was never written`),
    ];
  } finally {
    client.close();
  }
}

/**
 * Goes on writing during `work`, one entry after the other, each only over the one it has read before. Tells whether an
 * acknowledged entry is lost afterwards.
 */
export async function whileWriting<T>(
  subject: Subject,
  note: (problem: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const client = await subject.client();
  let acknowledged = await entryOf(client);
  let sent = acknowledged;
  const write = async (): Promise<void> => {
    const options = { signal: over.signal, timeoutMs: 2_000 };
    const before = await client.get<ConfigMap>(ledger, options);
    sent = Math.max(sent, Number(before.data?.['entry'])) + 1;
    await client.request('PUT', ledger, { ...options, body: { ...before, data: { entry: String(sent) } } });
    acknowledged = sent;
  };
  const writing = (async () => {
    while (!over.signal.aborted) {
      // The API is away, or a write whose answer was lost has come through after all.
      await write().catch(() => undefined);
      await delay(20);
    }
  })();
  try {
    const result = await work();
    over.abort();
    await writing;
    const found = await entryOf(client);
    if (found < acknowledged || found > sent)
      note(`the ledger has entry ${found}; ${acknowledged} was acknowledged, ${sent} sent`);
    return result;
  } finally {
    over.abort();
    await writing;
    client.close();
  }
}

async function entryOf(client: KubeClient): Promise<number> {
  return Number((await client.get<ConfigMap>(ledger)).data?.['entry']);
}
