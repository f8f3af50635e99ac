import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { account } from './account.js';
import { container } from './pods.js';
import { kubectl } from './shell.js';

type ClaimOptions = { storageClass?: string; mode?: string };

const claimSpec = ({ storageClass, mode = 'ReadWriteOnce' }: ClaimOptions): object => ({
  accessModes: [mode],
  resources: { requests: { storage: '1Gi' } },
  ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
});

export const claim = (name: string, options: ClaimOptions = {}): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: claimSpec(options),
});

/** Whom a pod runs as: an ID that no user of the host and none of the image has. */
type Identity = { runAsUser?: number; runAsGroup?: number; fsGroup?: number };

const podSpec = (script: string, securityContext: Identity): object => ({
  terminationGracePeriodSeconds: 1,
  securityContext,
  containers: [container(script, { volume: '/data' })],
});

/** A pod that has the claim of its name at /data. */
export const podWithClaim = (name: string, script: string, identity: Identity = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    ...podSpec(script, identity),
    volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: name } }],
  },
});

/** The like of a database: one pod, which adds a row to its claim each time that it starts. */
export const database = (name: string, identity: Identity, storageClass?: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    serviceName: name,
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: podSpec('echo row >> /data/rows && sleep 1000000', identity),
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'volume' },
        spec: claimSpec(storageClass === undefined ? {} : { storageClass }),
      },
    ],
  },
});

/** The folder of the volume that a claim is bound to, on the host. */
export async function folderOf(claimName: string, instance: string): Promise<string> {
  const volume = await kubectl('get', 'pvc', claimName, '-o', 'jsonpath={.spec.volumeName}');
  const { home } = await account();
  return join(home, '.local/state/usernetes', instance, 'volumes', volume);
}

export const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
