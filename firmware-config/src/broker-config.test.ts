import { expect, it } from 'vitest';
import { renderMosquittoConfig } from './broker-config.ts';

const node = { name: 'gw-1', password: 'secret', acl: { role: 'node' as const, site: 'q1', node: 'gw-1' } };

it('listens on the loopback only, without anonymous access, and names its two files', () => {
  const files = renderMosquittoConfig({
    port: 1884,
    dataDir: '/var/lib/ngatu/broker',
    users: [node],
    runAs: 'ngatu',
  });
  const lines = files.config.split('\n');
  expect(lines).toContain('listener 1884 127.0.0.1');
  expect(lines.filter((line) => line.startsWith('listener'))).toHaveLength(1);
  expect(lines).toContain('set_tcp_nodelay true');
  expect(lines).toContain('allow_anonymous false');
  expect(lines).toContain(`password_file ${files.passwordPath}`);
  expect(lines).toContain(`acl_file ${files.aclPath}`);
  expect(lines).toContain('user ngatu');
});

it('keeps no password in the clear and salts each', () => {
  const users = [node, { ...node, name: 'gw-2' }];
  const { passwordFile, config, aclFile } = renderMosquittoConfig({ port: 1, dataDir: '/x', users });
  expect(passwordFile + config + aclFile).not.toContain('secret');
  const [first, second] = passwordFile.trim().split('\n');
  expect(first).toMatch(/^gw-1:\$7\$10000\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
  expect(first?.split('$')[4]).not.toBe(second?.split('$')[4]);
});

it('lets a node read its directives and signals, a controller write its topics, and neither of them more', () => {
  const topic = 'signals/junction-1/north';
  const { aclFile } = renderMosquittoConfig({
    port: 1,
    dataDir: '/x',
    users: [
      { ...node, acl: { ...node.acl, signalTopics: [topic] } },
      { name: 'cabinet', password: 'p', acl: { role: 'controller', topics: [topic] } },
      { name: 'centre', password: 'p', acl: { role: 'ingestor' } },
    ],
  });
  const [ofNode = '', ofController = '', ofIngestor = ''] = aclFile.split('\n\n');
  expect(ofNode.split('\n')).toContain('topic read ngatu/v1/q1/gw-1/directive');
  expect(ofNode.split('\n')).toContain(`topic read ${topic}`);
  expect(ofNode).not.toContain('write ngatu/v1/q1/gw-1/directive');
  expect(ofController).toBe(`user cabinet\ntopic write ${topic}`);
  expect(ofIngestor.split('\n')).toContain('topic write ngatu/v1/+/+/directive');
});

it.each(['ngatu/v1/q1/gw-1/event', 'signals/#', 'signals/+/x', 'a b', 'a\ntopic write x', ''])(
  'refuses %j as the topic of a controller',
  (topic) => {
    const users = [{ name: 'cabinet', password: 'p', acl: { role: 'controller' as const, topics: [topic] } }];
    const render = () => renderMosquittoConfig({ port: 1, dataDir: '/x', users });
    expect(render).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
  },
);

it.each(['a:b', 'a\nuser root', '', 'a b', '#'])('refuses the user name %j', (name) => {
  const render = () => renderMosquittoConfig({ port: 1, dataDir: '/x', users: [{ ...node, name }] });
  expect(render).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
});

it('refuses a folder that would add lines', () => {
  const render = () => renderMosquittoConfig({ port: 1, dataDir: '/x\nallow_anonymous true', users: [node] });
  expect(render).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
});

const tls = { host: '0.0.0.0', port: 8883, identityDir: '/var/lib/ngatu/broker/identity' };

it('asks everybody on the listener of certificates for one, and checks it against the revocation list', () => {
  const { config } = renderMosquittoConfig({ port: 1884, tls, dataDir: '/x', users: [node] });
  const [, plain = '', certified = ''] = config.split(/^listener /m);
  expect(plain).toBe('1884 127.0.0.1\n');
  expect(certified.trim().split('\n')).toEqual([
    '8883 0.0.0.0',
    'cafile /var/lib/ngatu/broker/identity/ca.crt',
    'certfile /var/lib/ngatu/broker/identity/tls.crt',
    'keyfile /var/lib/ngatu/broker/identity/tls.key',
    'crlfile /var/lib/ngatu/broker/identity/crl.pem',
    'require_certificate true',
    'use_identity_as_username true',
    'tls_version tlsv1.2',
  ]);
});

it('listens without passwords where none is asked for', () => {
  const { config } = renderMosquittoConfig({ tls, dataDir: '/x', users: [] });
  expect(config.match(/^listener .*/gm)).toEqual(['listener 8883 0.0.0.0']);
  expect(config).not.toContain('password_file');
  const nothing = () => renderMosquittoConfig({ dataDir: '/x', users: [] });
  expect(nothing).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
});

it('lets every certified node write and read below its own name, and lists only who hears signals as well', () => {
  const topic = 'signals/junction-1/north';
  const signalListeners = [{ role: 'node', site: 'q1', node: 'gw-1', signalTopics: [topic] } as const];
  const { aclFile } = renderMosquittoConfig({ tls: { ...tls, signalListeners }, dataDir: '/x', users: [] });
  const [ofCentre = '', ofListener = '', patterns = ''] = aclFile.split('\n\n');
  expect(ofCentre.split('\n')).toContain('topic read ngatu/v1/+/+/event');
  expect(ofListener.split('\n')).toEqual(expect.arrayContaining(['user q1/gw-1', `topic read ${topic}`]));
  expect(patterns.trim().split('\n').sort()).toEqual(
    [
      ...['event', 'telemetry', 'evidence', 'screening', 'state'].map(
        (name) => `pattern write ngatu/v1/%u/${name}`,
      ),
      ...['ack', 'directive', 'request', 'resend'].map((name) => `pattern read ngatu/v1/%u/${name}`),
    ].sort(),
  );
});

it('refuses a password user under the name of the centre’s certificate', () => {
  const users = [{ name: 'centre', password: 'p', acl: { role: 'ingestor' as const } }];
  const render = () => renderMosquittoConfig({ port: 1, tls, dataDir: '/x', users });
  expect(render).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID' }));
});
