import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.js';
import type { Target } from './identity.js';
import { lost, readIfThere } from './inspect.js';

/**
 * Ensures the key that signs service-account tokens, `sa.key`, and the one that verifies them, `sa.pub`. Those in `dir` stay
 * as they are; missing ones are made in `target`. Returns whether one was made.
 */
export async function ensureServiceAccountKey(dir: string, target: Target): Promise<boolean> {
  const [privatePem, publicPem] = await Promise.all([
    readIfThere(join(dir, 'sa.key')),
    readIfThere(join(dir, 'sa.pub')),
  ]);
  if (privatePem === undefined && publicPem !== undefined) {
    throw lost(join(dir, 'sa.key'), `${join(dir, 'sa.pub')} is there without its key sa.key`);
  }
  const key =
    privatePem === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : parsePrivateKey(join(dir, 'sa.key'), privatePem);
  const expected = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  if (publicPem === expected) return false;
  if (privatePem === undefined) {
    await write(target, 'sa.key', key.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  await write(target, 'sa.pub', expected.toString());
  return true;
}

/**
 * Ensures the file that says how the API server encrypts Secrets in etcd. `isNew` means that the cluster has stored nothing
 * yet: later a lost key means lost Secrets, and a new key would hide that until they are read.
 */
export async function ensureEncryptionConfig(dir: string, target: Target, isNew: boolean): Promise<boolean> {
  const path = join(dir, 'encryption-config.yaml');
  if ((await readIfThere(path)) !== undefined) return false;
  if (!isNew) throw lost(path, `${path} is missing, and with it the key of every stored Secret`);
  await write(target, 'encryption-config.yaml', renderEncryptionConfig(randomBytes(32)));
  return true;
}

/** https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/; `identity` comes last and reads what was stored in the clear. */
function renderEncryptionConfig(key: Buffer): string {
  return `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key1
              secret: ${key.toString('base64')}
      - identity: {}
`;
}

function write({ folder, durable }: Target, name: string, content: string): Promise<void> {
  return writeFileAtomic(join(folder, name), content, { durable });
}

function parsePrivateKey(path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw lost(path, `${path} is not a private key`);
  }
}
