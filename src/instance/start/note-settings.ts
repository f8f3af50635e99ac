import { hostname } from 'node:os';
import type { Report } from '../../lib/events.js';
import { hostNames } from '../../rootless/network.js';
import { proxyText } from '../../settings/proxy.js';
import { defaultNodeName } from '../../settings/node-name.js';
import type { Remembered } from '../../settings/remembered.js';
import type { Settings } from '../../settings/schema.js';

/** Says in a line each what was taken from the environment or an earlier start, and matters to what pods reach. */
export function noteSettings(settings: Settings, report: Report): void {
  const proxy = proxyText(settings);
  if (proxy !== undefined) {
    report({
      kind: 'note',
      text: `images are pulled through the proxy ${proxy}, but for what NO_PROXY names`,
    });
  }
  if (settings.hostAccess.length > 0) {
    const ports = settings.hostAccess.join(', ');
    report({ kind: 'note', text: `pods reach port ${ports} of this host's loopback at ${hostNames[0]}` });
  }
}

/** Says that a node keeps the name it was made with when the host has another by now. */
export function noteNodeName(
  before: Remembered | undefined,
  { nodeName, kubernetes }: Settings,
  report: Report,
): void {
  const now = defaultNodeName(hostname());
  if (!kubernetes || before?.nodeName !== nodeName || !nodeName.startsWith('u7s-') || nodeName === now)
    return;
  report({ kind: 'note', text: `the node stays ${nodeName}, although this host is called ${hostname()}` });
}
