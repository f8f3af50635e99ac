import type { ArtifactContext } from './context.js';
import type { Limit } from './limit.js';
import type { Survey } from './download/network.js';
import type { AgentFor } from './download/proxy-agent.js';

/** What all artifacts of one run share. */
export type Session = ArtifactContext & {
  agent: AgentFor;
  survey: Survey;
  files: Limit;
  builds: Limit;
  /** Does work of this name once, however many ask for it. */
  once: (name: string, work: () => Promise<string>) => Promise<string>;
  /** Reports a note once, however many artifacts have reason for it. */
  note: (text: string) => void;
};
