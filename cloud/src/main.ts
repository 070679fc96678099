export { type FirstSignIn, resetPassword } from './account/first-account.ts';
export { type ApiConfig, type ApiReady, runApi } from './api/run-api.ts';
export { buildCentrePaths, type IngestorConfig, runIngestor } from './ingestor/ingestor.ts';
export { SqliteEventStore } from './store/sqlite-event-store.ts';
