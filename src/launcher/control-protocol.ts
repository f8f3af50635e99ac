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
import { claimants, plainOwners, type Port, type PortOwner, type Problem } from '../rootless/port.js';
import { protocols, type PortSpec, type PortStatus } from '../rootless/port-spec.js';

/** What clients ask of the launcher through its control socket. */
export type ControlRequest =
  /** Answered with an `InstanceStatus`, as are `stop` and `restart`. */
  | { type: 'status' }
  /** Answered at each change of the status; the launcher hangs up when nothing runs any more. */
  | { type: 'stop' }
  /** One service, or the whole node; answered when it is ready again. */
  | { type: 'restart'; name?: string }
  /** Answered with `Port[]`: what is published, and what is wanted besides. */
  | { type: 'list-ports' }
  /** Publishes a port by hand, now and at each start; answered with its `PortStatus`. */
  | { type: 'add-port'; spec: PortSpec }
  /** Ends a port, one by hand for good; the answer is its ID. */
  | { type: 'remove-port'; id: number }
  /** Forgets a port by hand that is not published; answered with the spec. */
  | { type: 'forget-port'; spec: PortSpec }
  /** dockerd is about to start: the ports that its predecessor has left must end. Answered with `Port[]`. */
  | { type: 'take-back-ports' };

export const isPortSpec = objectOf<PortSpec>({
  proto: oneOf(...protocols),
  parentIP: isString,
  parentPort: isNumber,
  childIP: optional(isString),
  childPort: isNumber,
});

/** All that the node itself may ask. */
export const isTakeBack = messageOfType<Extract<ControlRequest, { type: 'take-back-ports' }>>({
  'take-back-ports': {},
});

export const isControlRequest: Shape<ControlRequest> = messageOfType<ControlRequest>({
  status: {},
  stop: {},
  restart: { name: optional(isString) },
  'list-ports': {},
  'add-port': { spec: isPortSpec },
  'remove-port': { id: isNumber },
  'forget-port': { spec: isPortSpec },
  'take-back-ports': {},
});

export const isPortStatus = objectOf<PortStatus>({ id: isNumber, spec: isPortSpec });

const isPlainOwner = objectOf<Extract<PortOwner, { kind: (typeof plainOwners)[number] }>>({
  kind: oneOf(...plainOwners),
});
const isClaimant = objectOf<Extract<PortOwner, { name: string }>>({
  kind: oneOf(...claimants),
  namespace: isString,
  name: isString,
});

export const isPorts = listOf(
  objectOf<Port>({
    id: optional(isNumber),
    spec: isPortSpec,
    owners: listOf((value): value is PortOwner => isPlainOwner(value) || isClaimant(value)),
    problem: optional(
      objectOf<Problem>({
        reason: isString,
        code: isString,
        fixes: listOf(isFix),
        rivalNamespace: optional(isString),
      }),
    ),
    note: optional(isString),
  }),
);
