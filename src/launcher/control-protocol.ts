import { isFix } from '../lib/fixes.js';
import {
  isNumber,
  isString,
  listOf,
  messageOfType,
  objectOf,
  oneOf,
  optional,
  type Shape,
} from '../lib/shape.js';
import { protocols, type OwnedPort, type PortSpec } from '../rootless/port-spec.js';

/** What clients ask of the launcher through its control socket. */
export type ControlRequest =
  /** Answered with an `InstanceStatus`, as are `stop` and `restart`. */
  | { type: 'status' }
  /** Answered at each change of the status; the launcher hangs up when nothing runs any more. */
  | { type: 'stop' }
  /** One service, or the whole node; answered when it is ready again. */
  | { type: 'restart'; name?: string }
  /** Who asked for which port; answered with `OwnedPort[]`, as are the others about ports. */
  | { type: 'ports' }
  /** A port has been published by hand: publish it at each start, or no longer. */
  | { type: 'keep-port'; spec: PortSpec }
  | { type: 'forget-port'; spec: PortSpec }
  /** dockerd is about to start: the ports that its predecessor has left published must end. */
  | { type: 'take-back-ports' };

const isPortSpec = objectOf<PortSpec>({
  proto: oneOf(...protocols),
  parentIP: isString,
  parentPort: isNumber,
  childIP: optional(isString),
  childPort: isNumber,
});

export const isControlRequest: Shape<ControlRequest> = messageOfType<ControlRequest>({
  status: {},
  stop: {},
  restart: { name: optional(isString) },
  ports: {},
  'keep-port': { spec: isPortSpec },
  'forget-port': { spec: isPortSpec },
  'take-back-ports': {},
});

export const isOwnedPorts = listOf(
  objectOf<OwnedPort>({
    spec: isPortSpec,
    owner: isString,
    problem: optional(
      objectOf<NonNullable<OwnedPort['problem']>>({ reason: isString, code: isString, fixes: listOf(isFix) }),
    ),
    note: optional(isString),
  }),
);
