import { join } from 'node:path';
import { running, stopped, type Fault, type Strike } from './fault.js';
import { answers, startsAtOnce } from './races.js';
import {
  all,
  closed,
  crashOnExec,
  fillDisk,
  hostPortTaken,
  outOfFiles,
  pause,
  portTaken,
  present,
  removed,
  signal,
  killIfThere,
  killInPods,
  killEverything,
} from './strikes.js';
import { apiPort } from './subject.js';
import { clocksAheadBy, fullDisk, limitedTo, readOnlyDisk, smallDisk } from './surroundings.js';

const services = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'kube-proxy',
  'local-storage',
  'metrics',
  'network-policies',
] as const;

const kill = (...titles: string[]): Strike => signal('SIGKILL', ...titles);
const terminate = (...titles: string[]): Strike => signal('SIGTERM', ...titles);
const hang = (...titles: string[]): Strike => signal('SIGSTOP', ...titles);

const replaced = (...names: string[]): { replaced: readonly string[] } => ({ replaced: names });

const servicesSignalled = services.flatMap((name) => [
  running('a service dies', `${name} is killed`, replaced(name), kill(name)),
  running('a service dies', `${name} is terminated`, replaced(name), terminate(name)),
  running('a service hangs', `${name} hangs`, replaced(name), hang(name)),
  running(
    'a program crashes',
    `${name} crashes whenever it is executed`,
    { degraded: name },
    crashOnExec(name),
  ),
]);

const nodeSignalled = ['RootlessKit', "RootlessKit's child", 'slirp4netns', 'the supervisor'].flatMap(
  (title) => [
    running('the node dies', `${title} is killed`, 'rebuilt', kill(title)),
    running('the node hangs', `${title} hangs`, 'rebuilt', hang(title)),
  ],
);

const others = [
  running('a service dies', 'all services are killed', replaced(...services), kill(...services)),
  // RootlessKit passes it on to the supervisor, which obeys nobody but the launcher.
  running('the node dies', 'RootlessKit is terminated', 'endured', terminate('RootlessKit')),
  running('the node dies', 'slirp4netns is terminated', 'rebuilt', terminate('slirp4netns')),
  running('the node dies', 'the supervisor is terminated', 'endured', terminate('the supervisor')),
  running('the launcher dies', 'the launcher is killed', 'ended', kill('the launcher')),
  running('the launcher dies', 'the launcher is terminated', 'ended', terminate('the launcher')),
  running('the launcher dies', 'everything is killed', 'ended', killEverything),
  running('the launcher dies', 'the command in the foreground is killed', 'ended', kill('the command'), {
    foreground: true,
  }),
  running(
    'the launcher hangs',
    'the launcher hangs, which up tells and down ends',
    'ended',
    all(
      hang('the launcher'),
      answers(['up', 'default-containerd'], {
        exitCode: 1,
        stderr: /error\[launcher-hangs\]: .*\(pid \d+\).*\n {2}fix: .*u7s(\.js)? --cluster faults down/,
      }),
      answers(['down'], { exitCode: 0, stderr: /stop of cluster faults: done/ }),
    ),
  ),
  running('a pod dies', 'the shims of all pods are killed', 'endured', killInPods('containerd-shim-runc-v2')),
  running('a pod dies', 'CoreDNS is killed', 'endured', killInPods('coredns')),
];

const ports: [string, number][] = [
  ['etcd', 2379],
  ['kube-apiserver', 6443],
  ['kube-controller-manager', 10257],
  ['kube-scheduler', 10259],
  ['kubelet', 10250],
  ['kube-proxy', 10256],
  ['metrics', 8473],
];
const portsTaken = [
  ...ports.map(([name, port]) =>
    running('a port is taken', `the port of ${name} is taken`, { degraded: name }, portTaken(name, port)),
  ),
  running('a port is taken', 'the port of the API on the host is taken', 'lost', hostPortTaken(apiPort)),
];

/** What a service reads that is not written anew before each start, or where that is written. */
const configurations: [string, string][] = [
  ['etcd', 'pki/etcd-server.key'],
  ['kube-apiserver', 'pki/kube-apiserver.key'],
  ['kube-controller-manager', 'pki/kube-controller-manager-server.key'],
  ['kube-scheduler', 'pki/kube-scheduler-server.key'],
  ['containerd', 'etc'],
  ['kubelet', 'pki/kubelet-server.key'],
  ['kube-proxy', 'etc'],
  ['metrics', 'pki/metrics.key'],
];
const configurationsClosed = configurations.map(([name, path]) =>
  running(
    'a file is unreadable',
    `${path} of ${name} is unreadable`,
    { degraded: name },
    all(closed(path), kill(name)),
  ),
);

const startPhases: Record<string, RegExp> = {
  'opens the namespaces': /namespaces: started/,
  'has opened the namespaces': /namespaces: done/,
  'starts etcd': /etcd: started/,
  'starts the API server': /kube-apiserver: started/,
  'starts the kubelet': /kubelet: started/,
  'waits for the node': /node \S+: started/,
};
const stopPhases: Record<string, RegExp> = {
  'begins to stop': /stop of cluster \S+: started/,
  'stops the API server': /waiting for .*kube-apiserver/,
};
const pillars = ['the launcher', 'RootlessKit', 'the supervisor', 'the command'];

const phases: Fault[] = pillars.flatMap((title) => [
  ...Object.entries(startPhases).map(([phase, at]): Fault => ({
    strikes: 'starting',
    kind: 'up is struck',
    name: `${title} is killed when up ${phase}`,
    at,
    strike: kill(title),
  })),
  ...Object.entries(stopPhases).map(([phase, at]): Fault => ({
    strikes: 'stopping',
    kind: 'down is struck',
    name: `${title} is killed when down ${phase}`,
    at,
    strike: killIfThere(title),
  })),
]);

const leftBehind: [string, Parameters<typeof present>[0], string][] = [
  ['a lock of a start that is gone', ({ paths }) => paths.startLock, '{"pid":4194303,"startTime":"1"}'],
  ['a lock whose pid is another program now', ({ paths }) => paths.startLock, '{"pid":1,"startTime":"0"}'],
  ['an empty lock', ({ paths }) => paths.startLock, ''],
  ['a lock of a launcher that is gone', ({ paths }) => paths.lock, '{"pid":4194303,"startTime":"1"}'],
  ['a file in the place of the ready mark', ({ paths }) => paths.ready, 'ready'],
  ['a file in the place of the folder of RootlessKit', ({ paths }) => paths.rootlesskit, '4194303'],
  ['a half-written certificate', ({ paths }) => join(paths.pki, '.0123456789ab.tmp'), '-----BEGIN'],
  [
    'what waited for a lock',
    ({ paths }) => `${paths.startLock}.0123456789ab`,
    '{"pid":4194303,"startTime":"1"}',
  ],
  ['a damaged timeline', ({ paths }) => paths.timeline, '{"steps": ['],
];

const nothing: Strike = () => Promise.resolve();

/** What goes wrong, and how the cluster is to take it. The checks that follow each one are in endure.ts. */
export const faults: readonly Fault[] = [
  ...servicesSignalled,
  ...nodeSignalled,
  ...others,
  ...portsTaken,
  ...configurationsClosed,
  ...phases,
  ...leftBehind.map(([name, path, content]) =>
    stopped('left behind', name, { strike: present(path, content) }),
  ),

  running(
    'the disk is full',
    'no space for the state',
    { degraded: 'kube-scheduler' },
    all(fillDisk, kill('kube-scheduler')),
    { inside: smallDisk },
  ),
  stopped('the disk is full', 'a start with a disk that is full', {
    strike: nothing,
    start: { inside: fullDisk },
    refusal: { error: /no space left/, fix: /free space on/ },
  }),
  stopped('the disk is full', 'a start with a disk that is read-only', {
    strike: nothing,
    start: { inside: readOnlyDisk },
    refusal: { error: /read-only/, fix: /./ },
  }),
  ...services.map((name) =>
    running('no more files', `${name} may open no more files`, replaced(name), outOfFiles(name)),
  ),
  stopped('no more files', 'a start with 64 files', {
    strike: nothing,
    start: { inside: limitedTo('--nofile=64:64') },
    refusal: { error: /too many open files/, fix: /ulimit -n/ },
  }),
  stopped('clocks jump', 'a start by clocks a year ahead', {
    strike: nothing,
    start: { inside: clocksAheadBy(365 * 86_400) },
  }),
  running(
    'a folder is gone',
    'the logs are removed',
    replaced('etcd'),
    all(
      removed(({ paths }) => paths.logs),
      kill('etcd'),
    ),
  ),
  running(
    'a folder is gone',
    'the runtime directory is removed',
    'rebuilt',
    removed(({ paths }) => paths.runtime),
  ),
  running(
    'a pipe stalls',
    'who reads what up says hangs',
    replaced('kube-scheduler'),
    all(pause('the command'), kill('kube-scheduler')),
    { foreground: true },
  ),
  stopped('two at once', 'two starts at once', { strike: startsAtOnce(2) }),
  stopped('two at once', '64 starts at once', { strike: startsAtOnce(64) }),
];
