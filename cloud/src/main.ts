export { type FirstSignIn, resetPassword } from './account/first-account.ts';
export { type ApiConfig, type ApiReady, runApi } from './api/run-api.ts';
export { type IngestorConfig, runIngestor } from './ingestor/ingestor.ts';
export { buildCentrePaths } from './store/centre-path.ts';
export { SqliteEventStore } from './store/sqlite-event-store.ts';
