import pRetry from 'p-retry';
import { NetworkError } from '../errors.js';
import type { AgentFor } from './proxy-agent.js';
import { request } from './request.js';

/**
 * Asks for a file without getting it. Any answer at all means that it can be tried; the size is missing where the server
 * does not say it. Throws when a host on the way, the one after a redirect included, does not answer.
 */
export type Survey = (url: string) => Promise<{ size?: number }>;

export type SurveyOptions = {
  agent: AgentFor;
  signal: AbortSignal;
  /** How often a host is asked that does not answer. */
  attempts: number;
  /** Milliseconds that a host has for its answer. */
  answerMs?: number;
  /** Milliseconds until the second attempt; doubles each time. */
  retryMs?: number;
};

/** The first file of a host shows whether it can be reached; only then the others are asked about. */
export function createSurvey(options: SurveyOptions): Survey {
  const scouts = new Map<string, Promise<{ size?: number }>>();
  return async (url) => {
    const { origin } = new URL(url);
    const scout = scouts.get(origin);
    if (scout === undefined) {
      const first = survey(url, options);
      scouts.set(origin, first);
      return first;
    }
    await scout;
    return survey(url, { ...options, attempts: 1 }).catch((error: unknown) => {
      options.signal.throwIfAborted();
      if (error instanceof NetworkError) return {}; // the host is there; its file will show
      throw error;
    });
  };
}

async function survey(url: string, options: SurveyOptions): Promise<{ size?: number }> {
  const { attempts, retryMs = 300, signal } = options;
  return pRetry(
    async () => {
      const { status, headers, body } = await request(url, { ...options, method: 'HEAD' });
      body.destroy();
      const size = Number(headers['content-length'] ?? Number.NaN);
      const told = status === 200 && Number.isSafeInteger(size) && !isWebPage(headers['content-type']);
      return told ? { size } : {};
    },
    {
      retries: attempts - 1,
      minTimeout: retryMs,
      signal,
      shouldRetry: ({ error }) => error instanceof NetworkError && error.transient,
    },
  );
}

/** No release file is one: a block page, or the log-in of a captive portal. */
export function isWebPage(contentType: string | undefined): boolean {
  return /^\s*(text\/html|application\/xhtml)/i.test(contentType ?? '');
}
