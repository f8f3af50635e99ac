/**
 * The authorities of a cluster: for its API, for kubelets as servers, for etcd, and for requests that the API server passes
 * on to extension servers. Nodes get server certificates on request, so these have an authority that no client of the API trusts.
 */
export const authorities = {
  ca: 'kubernetes',
  'kubelet-ca': 'kubelet-ca',
  'etcd-ca': 'etcd-ca',
  'front-proxy-ca': 'front-proxy-ca',
} as const;

export type AuthorityName = keyof typeof authorities;

/** Extended key usage; `both` for a server that also presents its certificate to others. */
export type Usage = 'server' | 'client' | 'both';

/** What a leaf certificate must be; `<name>.crt` and `<name>.key` are its files. */
export type CertificateSpec = {
  name: string;
  authority: AuthorityName;
  commonName: string;
  organization?: string;
  usage: Usage;
  /** Subject alternative names: DNS names and IP addresses. */
  hosts: string[];
  /** Whether its authority's certificate follows it in the file, for clients that know only that one's hash. */
  chain?: true;
};

export type CertificateTableInput = {
  nodeName: string;
  /** The node's address inside its network namespace: slirp4netns gives 10.0.2.100. */
  nodeAddress: string;
  /** Of the Service `kubernetes`: the first address of the service CIDR. */
  serviceAddress: string;
  dnsDomain: string;
  /** Host address on which the API is published; a wildcard names no host and is left out. */
  apiAddress: string;
  /** Host address by which other nodes reach this one; missing if there are no others. */
  hostIp?: string;
  /** Further names and addresses of the API. */
  further?: readonly string[];
};

/**
 * Every certificate of a node that is control plane and worker in one. Each component has an identity of its own, so
 * that RBAC and the Node authorizer can tell them apart: https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export function certificateTable(input: CertificateTableInput): CertificateSpec[] {
  const { nodeName, nodeAddress, serviceAddress, dnsDomain, apiAddress, hostIp, further = [] } = input;
  const loopback = ['localhost', '127.0.0.1'];
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const published = ['0.0.0.0', '::'].includes(apiAddress) ? [] : [apiAddress];
  const host = hostIp === undefined ? [] : [hostIp];
  const severalNodes = hostIp !== undefined;
  return [
    {
      ...server('kube-apiserver', 'ca', 'kube-apiserver', [
        ...service,
        `kubernetes.default.svc.${dnsDomain}`,
        nodeName,
        ...loopback,
        '::1',
        serviceAddress,
        nodeAddress,
        ...published,
        ...host,
        ...further,
      ]),
      ...(severalNodes ? { chain: true as const } : {}),
    },
    // config/manifests/kubelet-api-access.yaml grants it the right to use kubelets, and no other.
    client('kube-apiserver-kubelet-client', 'ca', 'kube-apiserver-kubelet-client'),
    client('kube-apiserver-etcd-client', 'etcd-ca', 'kube-apiserver-etcd-client'),
    client('front-proxy-client', 'front-proxy-ca', 'front-proxy-client'),
    // etcd's own gateway presents the server's certificate to its gRPC side.
    { ...server('etcd-server', 'etcd-ca', 'etcd-server', loopback), usage: 'both' },
    client('kubelet', 'ca', `system:node:${nodeName}`, 'system:nodes'),
    server('kubelet-server', 'kubelet-ca', `system:node:${nodeName}`, [
      nodeName,
      nodeAddress,
      '127.0.0.1',
      ...host,
    ]),
    client('kube-controller-manager', 'ca', 'system:kube-controller-manager'),
    server('kube-controller-manager-server', 'ca', 'kube-controller-manager', loopback),
    client('kube-scheduler', 'ca', 'system:kube-scheduler'),
    server('kube-scheduler-server', 'ca', 'kube-scheduler', loopback),
    client('kube-proxy', 'ca', 'system:kube-proxy'),
    // config/manifests/port-publisher.yaml grants it its few rights.
    client('port-publisher', 'ca', 'usernetes:port-publisher'),
    ofNode('local-storage', nodeName),
    ofNode('network-policies', nodeName),
    // config/manifests/metrics/ lets it list pods and nodes; the other one is for the API server, which asks it.
    client('metrics', 'ca', 'usernetes:metrics-server'),
    server('metrics-server', 'ca', 'metrics', ['metrics.kube-system.svc']),
    ...(severalNodes
      ? [
          ofNode('flannel', nodeName),
          // Answers the requests of nodes that join; config/manifests/nodes/node-approver.yaml grants its rights.
          client('node-approver', 'ca', 'usernetes:node-approver'),
        ]
      : []),
    // kubeadm's `kubeadm:cluster-admins` can be revoked by deleting its binding, which a `system:masters` super-admin
    // has made and keeps elsewhere. Here the same person owns both the admin key and the CA's key, so a second,
    // weaker admin would protect nothing, and could lock its owner out.
    client('admin', 'ca', 'kubernetes-admin', 'system:masters'),
  ];
}

/** The components of nodes that Kubernetes itself has no name for; they are called `usernetes:<component>:<node>`. */
export const nodeComponents = [
  'kube-proxy',
  'flannel',
  'local-storage',
  'metrics',
  'network-policies',
] as const;

/** Every certificate of a node that has joined a control plane elsewhere, which signs them. */
export function workerCertificates(nodeName: string, hostIp: string): CertificateSpec[] {
  const kubelet = { commonName: `system:node:${nodeName}`, organization: 'system:nodes' };
  return [
    client('kubelet', 'ca', kubelet.commonName, kubelet.organization),
    {
      ...client('kubelet-server', 'kubelet-ca', kubelet.commonName, kubelet.organization),
      ...serverFor(nodeName, hostIp),
    },
    ...nodeComponents.map((component) => ofNode(component, nodeName)),
  ];
}

const serverFor = (...hosts: string[]): Pick<CertificateSpec, 'usage' | 'hosts'> => ({
  usage: 'server',
  hosts,
});

/** A component's rights are bound to its group, so that they hold for every node. */
function ofNode(component: (typeof nodeComponents)[number], nodeName: string): CertificateSpec {
  return client(component, 'ca', `usernetes:${component}:${nodeName}`, `usernetes:${component}`);
}

function client(
  name: string,
  authority: AuthorityName,
  commonName: string,
  organization?: string,
): CertificateSpec {
  return {
    name,
    authority,
    commonName,
    ...(organization === undefined ? {} : { organization }),
    usage: 'client',
    hosts: [],
  };
}

function server(
  name: string,
  authority: AuthorityName,
  commonName: string,
  hosts: string[],
): CertificateSpec {
  return { name, authority, commonName, usage: 'server', hosts: [...new Set(hosts)] };
}
