/**
 * MQTT topics, built and parsed here only: `ngatu/v1/{site}/{node}/{channel}`.
 * `event`, `telemetry`, `evidence` and `screening` (health data) carry outbox envelopes from node to ingestor; `ack` carries committed numbers
 * back; `state` is retained, with a will; `directive` is retained, from the centre to the node. `request` (centre → node)
 * asks for an evidence file and `resend` for numbers that are missing; neither is retained, both are repeated until answered.
 */
export const CHANNELS = [
  'event',
  'telemetry',
  'evidence',
  'screening',
  'state',
  'ack',
  'directive',
  'request',
  'resend',
] as const;
export type Channel = (typeof CHANNELS)[number];

/** The channels whose messages are numbered by the node's outbox and acknowledged by the ingestor. */
export const NUMBERED_CHANNELS = ['event', 'telemetry', 'evidence', 'screening'] as const;
export type NumberedChannel = (typeof NUMBERED_CHANNELS)[number];

/** What the centre writes and a node reads. */
export const DOWNLINK_CHANNELS = ['ack', 'directive', 'request', 'resend'] as const;

const PREFIX = 'ngatu/v1';
const SEGMENT = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export interface TopicParts {
  site: string;
  node: string;
  channel: Channel;
}

export function buildTopic({ site, node, channel }: TopicParts): string {
  return `${PREFIX}/${site}/${node}/${channel}`;
}

/** The subscription that receives `channel` of every node. `$share/{group}/` in front spreads it over ingestors. */
export function buildChannelFilter(channel: Channel): string {
  return `${PREFIX}/+/+/${channel}`;
}

/** How every topic of a site begins. */
export function buildTopicStart(site: string): string {
  return `${PREFIX}/${site}/`;
}

/** Returns undefined where the topic is not one of ngatu. */
export function parseTopic(topic: string): TopicParts | undefined {
  const [root, version, site, node, channel, ...rest] = topic.split('/');
  if (`${root}/${version}` !== PREFIX || rest.length > 0) return undefined;
  if (site === undefined || node === undefined || !SEGMENT.test(site) || !SEGMENT.test(node))
    return undefined;
  const known = CHANNELS.find((name) => name === channel);
  return known === undefined ? undefined : { site, node, channel: known };
}
