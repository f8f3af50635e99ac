import type { IdentityFiles } from '../pki/identity.js';

/** The content of a self-contained kubeconfig; `name` is its context, cluster and user. */
export type KubeconfigInput = {
  name: string;
  /** `https://host:port` */
  server: string;
  caPem: string;
  certPem: string;
  keyPem: string;
};

/** A kubeconfig with everything embedded. It holds a private key: write it with mode 0600. */
export function renderKubeconfig(input: KubeconfigInput): string {
  const { cluster, user } = kubeconfigEntries(input);
  return render(input.name, cluster, user);
}

/** The kubeconfig of a component: it refers to the files of an identity, and so holds no secret. */
export function renderComponentKubeconfig(input: IdentityFiles & { server: string }): string {
  return render(
    'usernetes',
    { server: input.server, 'certificate-authority': input.caFile },
    { 'client-certificate': input.certFile, 'client-key': input.keyFile },
  );
}

/** The cluster and the user of a kubeconfig, data embedded as base64. */
export function kubeconfigEntries({ server, caPem, certPem, keyPem }: KubeconfigInput): {
  cluster: Record<string, string>;
  user: Record<string, string>;
} {
  return {
    cluster: { server, 'certificate-authority-data': base64(caPem) },
    user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) },
  };
}

/** Written by hand, to spare the process that makes the components' files a YAML library. JSON strings are YAML. */
function render(name: string, cluster: Record<string, string>, user: Record<string, string>): string {
  const quoted = JSON.stringify(name);
  const fields = (values: Record<string, string>): string =>
    Object.entries(values)
      .map(([key, value]) => `      ${key}: ${JSON.stringify(value)}\n`)
      .join('');
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${quoted}
    cluster:
${fields(cluster)}contexts:
  - name: ${quoted}
    context:
      cluster: ${quoted}
      user: ${quoted}
current-context: ${quoted}
users:
  - name: ${quoted}
    user:
${fields(user)}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
