import test, { type ExecutionContext } from 'ava';
import type { Claim, Outcome } from '#src/rootless/claim.js';
import { formatPortSpec } from '#src/rootless/port-spec.js';
import { portPublisher } from '#src/workers/port-publisher.js';
import type { Event } from '#src/lib/events.js';
import { json, line, removePki, serveApi } from '../kube/fake-api.js';
import { until } from '../launcher/harness.js';
import { service } from './objects.js';

test.after.always(removePki);

type Running = {
  /** The specs claimed, one list a comparison. */
  claimed: string[][];
  /** What was written: `PATCH path body`. */
  written: string[];
  warnings: string[];
  /** Lets a Service appear in the watch. */
  appear: (name: string, nodePort: number) => void;
  end: () => Promise<void>;
};

/** The worker against an API with one load balancer, and ports that `become` what they do. */
async function publish(
  t: ExecutionContext,
  become: (claims: readonly Claim[], attempt: number) => Outcome[],
): Promise<Running> {
  const claimed: string[][] = [];
  const written: string[] = [];
  const warnings: string[] = [];
  const watchers: ((text: string) => void)[] = [];
  const stored = (name: string, nodePort: number): object => {
    const object = service(name, { type: 'LoadBalancer', ports: [{ port: nodePort - 22000, nodePort }] });
    return { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
  };
  const api = await serveApi(t, (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://api');
    if (request.method !== 'GET') {
      written.push(`${request.method} ${pathname} ${body}`);
      return json(response, 200, {});
    }
    if (searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      if (pathname.endsWith('/services')) watchers.push((text) => response.write(text));
      return;
    }
    const items = pathname.endsWith('/services') ? [stored('web', 30080)] : [];
    json(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const life = new AbortController();
  const worker = portPublisher({
    nodeName: 'node1',
    publishAddress: '127.0.0.1',
    nodeAddress: '10.0.2.100',
    writesStatus: true,
    api,
  });
  const report = (event: Event): void => void (event.kind === 'warning' && warnings.push(event.text));
  const ports = {
    publish: (claims: readonly Claim[]) => {
      claimed.push(claims.map(({ spec }) => formatPortSpec(spec)));
      return Promise.resolve().then(() => become(claims, claimed.length));
    },
  };
  const done = worker.run({ since: new Date(), ports, report, restart: () => undefined }, life.signal);
  const end = async (): Promise<void> => {
    life.abort();
    await done;
  };
  t.teardown(end);
  return {
    claimed,
    written,
    warnings,
    appear: (name, nodePort) => watchers.forEach((write) => write(line('ADDED', stored(name, nodePort)))),
    end,
  };
}

const allPublished = (claims: readonly Claim[]): Outcome[] => claims.map((claim) => ({ claim }));
const ofWeb = ['127.0.0.1:8080:10.0.2.100:30080/tcp', '127.0.0.1:30080:10.0.2.100:30080/tcp'];

test('what Services claim is published, and their status says where', async (t) => {
  const { claimed, written, appear } = await publish(t, allPublished);
  await until(() => written.some((text) => text.includes('/services/web/status')));
  t.deepEqual(claimed[0], ofWeb);
  t.regex(written.join('\n'), /PATCH \S+\/services\/web\/status .*"ip":"127\.0\.0\.1","ipMode":"Proxy"/);
  appear('more', 30081);
  await until(() => claimed.some((specs) => specs.length === 4));
  t.true(claimed.at(-1)?.includes('127.0.0.1:8081:10.0.2.100:30081/tcp'));
});

test('a port that cannot be published is an Event, tried again, and an Event once it is', async (t) => {
  const problem = { reason: 'it is in use', code: 'port-taken', fixes: [] };
  const { claimed, written } = await publish(t, (claims, attempt) =>
    claims.map((claim) => (attempt === 1 ? { claim, problem } : { claim })),
  );
  await until(() => written.some((text) => text.includes('PortPublished')));
  t.true(claimed.length >= 2);
  t.regex(written.join('\n'), /"reason":"PortNotPublished"/);
});

test('ports that do not answer are tried again; it ends with the node', async (t) => {
  const { claimed, end, warnings } = await publish(t, (claims, attempt) => {
    if (attempt === 1) throw new Error('RootlessKit does not answer');
    return allPublished(claims);
  });
  await until(() => claimed.length >= 2);
  await end();
  t.deepEqual(warnings, []);
});
