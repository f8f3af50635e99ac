import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asUser, type Account } from '#src/host/account.js';
import type { Paths } from '#src/settings/paths.js';
import { makeHosts, removeHosts, type TestHost } from '../e2e/hosts.js';
import { makeUser, pathsOf, removeUser } from '../ordinary-user.js';
import { createHand, publicAgent, type Hand } from './hand.js';
import type { HttpAnswer, HttpQuestion } from './hand-agent.js';
import { agentInPod, loadAttackImage, podOfKind, type PodKind } from './pods.js';

/** A certificate and its key, in PEM. */
export type Keys = { cert: string; key: string };

/** Where the attacks take place. What only some need is made when it is first asked for. */
export type Ground = {
  /** The control plane, with its cluster `default`. */
  control: TestHost;
  paths: Paths;
  /** The cluster's own account, on its host. */
  owner: () => Promise<Hand>;
  /** Another account on the same host. */
  stranger: () => Promise<Hand>;
  strangersAccount: Account;
  /** Somebody on another host, with nothing. */
  outsider: () => Promise<Hand>;
  /** The account of a second host, which has joined. */
  node: () => Promise<{ hand: Hand; host: TestHost; paths: Paths; keys: (name: string) => Promise<Keys> }>;
  /** The keys of a third host, which had joined and was removed by the control plane. */
  removed: () => Promise<{ name: string; keys: Readonly<Record<string, Keys>> }>;
  /** A token that no node has used yet. */
  token: () => Promise<string>;
  /** Inside of a pod. */
  pod: (kind: PodKind) => Promise<Hand>;
  /** A certificate and its key of the control plane's `pki/`, as the cluster's owner has them. */
  keys: (name: string) => Promise<Keys>;
  ca: () => Promise<string>;
  /** A request to the API server; who asks is in the question. */
  api: (path: string, more?: Partial<HttpQuestion>) => HttpQuestion;
  /** A request by the cluster's administrator. */
  admin: (method: string, path: string, body?: object) => Promise<HttpAnswer>;
  end: () => Promise<void>;
};

const strangersName = 'u7s-mallory';
const numberOfHosts = 3;
const prefix = 'u7s-attack';

export async function makeGround(): Promise<Ground> {
  const [control, second, third] = await makeHosts(numberOfHosts, prefix);
  if (control === undefined || second === undefined || third === undefined) throw new Error('no hosts');
  const strangersAccount = await makeUser(strangersName, 0);
  const agent = await publicAgent();
  await control.ok('up', 'default-containerd', '-d', '--host-ip', control.address);

  const hands: Hand[] = [];
  const handOf = (inside: readonly string[], account: Account): Hand => {
    const { command, args, env } = asUser(account, [process.execPath, agent], { PATH: process.env.PATH });
    const hand = createHand([...inside, command, ...args], env);
    hands.push(hand);
    return hand;
  };
  const paths = pathsOf(control.account);
  const owner = memo(() => handOf(control.inside, control.account));
  const api = (path: string, more: Partial<HttpQuestion> = {}): HttpQuestion => ({
    host: control.address,
    port: 6443,
    path,
    ...more,
  });
  const ground: Ground = {
    control,
    paths,
    strangersAccount,
    owner,
    stranger: memo(() => handOf(control.inside, strangersAccount)),
    outsider: memo(() => handOf(third.inside, strangersAccount)),
    node: memo(async () => {
      await second.ok(...(await invitation(control)));
      const nodePaths = pathsOf(second.account);
      return {
        hand: handOf(second.inside, second.account),
        host: second,
        paths: nodePaths,
        keys: (name) => keysIn(nodePaths.pki, name),
      };
    }),
    removed: memo(async () => {
      await third.ok(...(await invitation(control)));
      const { pki } = pathsOf(third.account);
      const names = ['kubelet', 'kube-proxy', 'flannel'];
      const found = await Promise.all(
        names.map(async (name) => [name, await keysIn(pki, name).catch(() => undefined)] as const),
      );
      await third.ok('down');
      await control.ok('node', 'rm', third.name);
      const keys = Object.fromEntries(found.flatMap(([name, pair]) => (pair ? [[name, pair]] : [])));
      return { name: third.name, keys };
    }),
    token: async () => tokenIn(await invitation(control)),
    pod: memoByKey(async (kind: PodKind) => {
      await loaded();
      await podOfKind(ground, kind);
      const hand = createHand(...agentInPod(ground, kind));
      hands.push(hand);
      return hand;
    }),
    keys: (name) => keysIn(paths.pki, name),
    ca: () => readFile(join(paths.pki, 'ca.crt'), 'utf8'),
    api,
    admin: async (method, path, body) => {
      const hand = await owner();
      return hand.ask(
        api(path, {
          method,
          ...(await ground.keys('admin')),
          headers: { 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      );
    },
    end: async () => {
      await Promise.all(hands.map((hand) => hand.end()));
      for (const host of [third, second, control]) await host.u7s('cleanup');
      await removeHosts(numberOfHosts, prefix);
      await removeUser(strangersName);
      await rm(dirname(agent), { recursive: true, force: true });
    },
  };
  const loaded = memo(() => loadAttackImage(control, agent));
  return ground;
}

/** The words of a fresh line of join-command, without the first. */
export async function invitation(host: TestHost, ...args: string[]): Promise<string[]> {
  return (await host.ok('join-command', ...args)).trim().split(' ').slice(1);
}

export const tokenIn = (line: readonly string[]): string => line[line.indexOf('--token') + 1] ?? '';

async function keysIn(folder: string, name: string): Promise<Keys> {
  const [cert, key] = await Promise.all(
    ['crt', 'key'].map((kind) => readFile(join(folder, `${name}.${kind}`), 'utf8')),
  );
  return { cert: cert ?? '', key: key ?? '' };
}

function memo<T>(make: () => T | Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= Promise.resolve(make()));
}

function memoByKey<Key, T>(make: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  const made = new Map<Key, Promise<T>>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
