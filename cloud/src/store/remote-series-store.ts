import { ERROR_CODES, type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';
import type {
  LatestPoint,
  LatestQuery,
  RawPoint,
  RawQuery,
  SeriesLine,
  SeriesPoint,
  SeriesQuery,
  SeriesStore,
} from './series-store.ts';

const TIMEOUT_MS = 30_000;

/** Paths of the ingestor's internal routes. */
export const SERIES_QUERY_PATH = '/internal/series/query';
export const SERIES_WRITE_PATH = '/internal/series/points';
export const SERIES_POINTS_PATH = '/internal/series/list';
export const SERIES_LATEST_PATH = '/internal/series/latest';

/** The time series of another process: the ingestor that holds them, asked over HTTP. */
export class RemoteSeriesStore implements SeriesStore {
  readonly #url: string;
  readonly #token: string;
  readonly #running = new Set<AbortController>();
  #isClosed = false;

  /** `url` is the ingestor's address, `token` its internal token. */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async write(points: readonly SeriesPoint[]): Promise<void> {
    if (points.length > 0) await this.#post(SERIES_WRITE_PATH, { points });
  }

  async query(query: SeriesQuery): Promise<SeriesLine[]> {
    const answer = await this.#post(SERIES_QUERY_PATH, query);
    return (answer as { lines: SeriesLine[] }).lines;
  }

  async listPoints(query: RawQuery): Promise<RawPoint[]> {
    const answer = await this.#post(SERIES_POINTS_PATH, query);
    return (answer as { points: RawPoint[] }).points;
  }

  async listLatest(query: LatestQuery): Promise<LatestPoint[]> {
    const answer = await this.#post(SERIES_LATEST_PATH, query);
    return (answer as { latest: LatestPoint[] }).latest;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const request of this.#running) request.abort();
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const request = new AbortController();
    const deadline = setTimeout(
      () => request.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)),
      TIMEOUT_MS,
    );
    this.#running.add(request);
    if (this.#isClosed) request.abort();
    try {
      const response = await fetch(new URL(path, this.#url), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: request.signal,
      });
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      throw toAnswerError(response.status, answer);
    } catch (error) {
      if (error instanceof NgatuError) throw error;
      throw new NgatuError(
        'STORE_UNAVAILABLE',
        `Cannot reach the series of ${this.#url}: ${errorMessage(error)}`,
        {
          retryable: true,
          cause: error,
        },
      );
    } finally {
      clearTimeout(deadline);
      this.#running.delete(request);
    }
  }
}

function toAnswerError(status: number, answer: unknown): NgatuError {
  const { code, message } = (answer ?? {}) as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && code in ERROR_CODES ? (code as ErrorCode) : 'STORE_UNAVAILABLE';
  return new NgatuError(known, typeof message === 'string' ? message : `The ingestor answered ${status}`, {
    retryable: known === 'STORE_UNAVAILABLE',
  });
}
