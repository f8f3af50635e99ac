import { join } from 'node:path';
import { runOk } from '#src/lib/exec.js';
import type { TestHost } from './hosts.js';

export type Attempt = { method: 'GET' | 'POST' | 'PATCH' | 'DELETE'; path: string; body?: object };

/** What the API answers to whoever has the certificate `name` of the node of that host: 200, or the status of a refusal. */
export async function asIdentity(
  { inside, account }: TestHost,
  name: string,
  server: string,
  attempts: readonly Attempt[],
): Promise<number[]> {
  const pki = join(account.home, '.local/state/usernetes/default/pki');
  const words = [...inside, process.execPath, '--input-type=module', '-e', script];
  const [program = '', ...args] = [...words, '--', pki, name, server, JSON.stringify(attempts)];
  return JSON.parse(await runOk(program, args)) as number[];
}

/** In a process of its own, because it has to be in the network of the host. */
const script = `
  import { connect } from ${JSON.stringify(join(process.cwd(), 'dist/kube/connect.js'))};
  import { identityFiles } from ${JSON.stringify(join(process.cwd(), 'dist/pki/identity.js'))};
  const [pki, name, server, attempts] = process.argv.slice(1);
  const client = await connect({ server, ...identityFiles(pki, name) });
  const statuses = [];
  for (const { method, path, body } of JSON.parse(attempts)) {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const options = body === undefined ? {} : { contentType, body };
    statuses.push(await client.request(method, path, options).then(() => 200, (error) => error.status));
  }
  client.close();
  console.log(JSON.stringify(statuses));`;
