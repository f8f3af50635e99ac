import { withoutCredentials } from '../lib/url-credentials.js';
import type { Settings } from './schema.js';

type Proxied = Pick<
  Settings,
  | 'httpProxy'
  | 'httpsProxy'
  | 'allProxy'
  | 'noProxy'
  | 'podCidr'
  | 'serviceCidr'
  | 'dockerCidr'
  | 'nodeSubnet'
  | 'nodeName'
  | 'hostIp'
  | 'dnsDomain'
  | 'kubernetes'
>;

/** For a setting that has no proxy, whatever was remembered. */
const none = 'none';

/** Go, and so every runtime, knows no ALL_PROXY: it stands in for the two that are missing. */
function proxies({ httpProxy, httpsProxy, allProxy }: Proxied): { http?: string; https?: string } {
  const chosen = (url: string | undefined): string | undefined =>
    [url, allProxy].find((each) => each !== undefined && each !== '' && each !== none && url !== none);
  const [http, https] = [chosen(httpProxy), chosen(httpsProxy)];
  return { ...(http === undefined ? {} : { http }), ...(https === undefined ? {} : { https }) };
}

/** The environment of what pulls images, by upper and lower case names; empty without a proxy. */
export function proxyEnvironment(settings: Proxied): Record<string, string> {
  const { http, https } = proxies(settings);
  if (http === undefined && https === undefined) return {};
  const variables = {
    ...(http === undefined ? {} : { HTTP_PROXY: http }),
    ...(https === undefined ? {} : { HTTPS_PROXY: https }),
    NO_PROXY: direct(settings).join(','),
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [name, value],
      [name.toLowerCase(), value],
    ]),
  );
}

/** What is reached without the proxy: what the user names, and all of the cluster. */
function direct(settings: Proxied): string[] {
  const {
    noProxy = '',
    kubernetes,
    podCidr,
    serviceCidr,
    dockerCidr,
    nodeSubnet,
    hostIp,
    nodeName,
    dnsDomain,
  } = settings;
  const words = [
    ...noProxy.split(/[\s,]+/),
    ...['localhost', '127.0.0.0/8', '::1', '.internal', nodeSubnet, dockerCidr, hostIp ?? ''],
    ...(kubernetes ? [podCidr, serviceCidr, nodeName, '.svc', `.${dnsDomain}`] : []),
  ];
  return [...new Set(words.filter((word) => word !== '' && word !== none))];
}

/** The proxies in use, without user and password: `http://proxy.example:3128`. */
export function proxyText(settings: Proxied): string | undefined {
  const { http, https } = proxies(settings);
  const urls = [
    ...new Set(
      [https, http].flatMap((url) => (url === undefined ? [] : [withoutCredentials(complete(url))])),
    ),
  ];
  return urls.length === 0 ? undefined : urls.join(', ');
}

/** Where proxies on the host's own loopback listen, which the node reaches by the same address. */
export function loopbackProxies(settings: Proxied): { host: string; port: number }[] {
  const { http, https } = proxies(settings);
  return [http, https].flatMap((url) => {
    const { hostname, port, protocol } = new URL(complete(url ?? 'http://elsewhere'));
    const host = hostname.replace(/^\[|\]$/g, '');
    if (host !== 'localhost' && host !== '::1' && !host.startsWith('127.')) return [];
    const standard = protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : 1080;
    return [{ host: host === 'localhost' ? '127.0.0.1' : host, port: port === '' ? standard : Number(port) }];
  });
}

const complete = (url: string): string => (url.includes('://') ? url : `http://${url}`);
