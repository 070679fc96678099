import pino, { type Logger } from 'pino';

/** Logs JSON lines to the standard output; level from `NGATU_LOG_LEVEL`, by default `info`. */
export function openLogger(name: string): Logger {
  return pino({
    name,
    level: process.env['NGATU_LOG_LEVEL'] || 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
