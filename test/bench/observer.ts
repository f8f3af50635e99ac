import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createKubeClient, type KubeClient } from '#src/kube/client.js';
import type { KubeObject } from '#src/kube/object.js';
import { waitForNodeReady, waitForObject } from '#src/kube/wait.js';

/** Seconds from the start of a launcher. */
export type Observation = { api: number; node: number; pod: number };

export type Observed = {
  /** `https://host:port`, as the host sees it. */
  server: string;
  pki: string;
  nodeName: string;
};

const pollMs = 20;

/**
 * Times a start from outside, alike for every launcher: polls /readyz through the published port, then watches the
 * node, and makes a pod as soon as one is admitted. Whatever a launcher itself says or waits for does not count.
 */
export async function observe(
  { server, pki, nodeName }: Observed,
  signal: AbortSignal,
): Promise<Observation> {
  const begin = performance.now();
  const since = new Date();
  const seconds = (): number => (performance.now() - begin) / 1000;
  await pollUntilReady(`${server}/readyz`, signal);
  const api = seconds();
  const client = await connect(server, pki);
  try {
    const account = waitForObject(
      client,
      '/api/v1/namespaces/default/serviceaccounts',
      'default',
      () => true,
      signal,
    );
    await waitForNodeReady(client, nodeName, since, signal);
    const node = seconds();
    await account;
    const path = await runFirstPod(client, signal);
    const pod = seconds();
    await client.request('DELETE', `${path}?gracePeriodSeconds=0`, { signal });
    return { api, node, pod };
  } finally {
    client.close();
  }
}

async function pollUntilReady(url: string, signal: AbortSignal): Promise<void> {
  // Who answers is not checked, since the certificates are only just being made; nothing is sent.
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  while (!(await answersOk(url, agent))) await delay(pollMs, undefined, { signal });
  agent.destroy();
}

function answersOk(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    // RootlessKit takes a connection before anybody listens behind it.
    get(url, { agent, signal: AbortSignal.timeout(1_000) }, (response) => {
      response.resume().once('close', () => resolve(response.statusCode === 200));
    }).on('error', () => resolve(false));
  });
}

async function connect(server: string, pki: string): Promise<KubeClient> {
  const [ca = '', cert = '', key = ''] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((name) => readFile(join(pki, name), 'utf8')),
  );
  return createKubeClient({ server, ca, cert, key });
}

const podsPath = '/api/v1/namespaces/default/pods';

/** Runs the pause image, which every launcher has loaded, and returns the pod's path. */
async function runFirstPod(client: KubeClient, signal: AbortSignal): Promise<string> {
  const name = `bench-${Date.now()}`;
  const container = { name: 'pause', image: 'localhost/pause:1', imagePullPolicy: 'Never' };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [container] } };
  await client.request('POST', podsPath, { body, signal });
  type Pod = KubeObject & { status?: { phase?: string } };
  await waitForObject<Pod>(client, podsPath, name, ({ status }) => status?.phase === 'Running', signal);
  return `${podsPath}/${name}`;
}
