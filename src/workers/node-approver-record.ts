import type { KubeClient } from '../kube/client.js';
import { mirror } from '../kube/mirror.js';
import {
  membersCollection,
  membersPath,
  readMembers,
  type MemberChange,
  type MemberMap,
  type Members,
} from '../membership/members.js';

/** The cluster's record of its members, as it was last seen or changed. */
export type MemberRecord = {
  /** Undefined until it has been read. */
  members(): Members | undefined;
  /** Fails with the status 409 if somebody else has changed it since it was last seen. */
  change(change: MemberChange): Promise<void>;
  follow(onChange: () => void, onFault: (error: unknown) => void): Promise<void>;
};

export function createRecord(client: KubeClient, signal: AbortSignal): MemberRecord {
  let members: Members | undefined;

  /** What a watch delivers may be older than the answer to a change of our own. */
  function take(map: MemberMap): void {
    const next = readMembers(map);
    if (members === undefined || Number(next.version) > Number(members.version)) members = next;
  }

  return {
    members: () => members,
    change: async (data) => {
      const resourceVersion = members?.version;
      const answer = await client.request('PATCH', membersPath, {
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion }, data },
        signal,
      });
      take(answer as MemberMap);
    },
    follow: (onChange, onFault) =>
      mirror<MemberMap, MemberMap>(client, {
        path: membersCollection,
        keep: (map) => map,
        onChange: (present) => {
          for (const map of present.values()) take(map);
          onChange();
        },
        onFault,
        signal,
      }),
  };
}
