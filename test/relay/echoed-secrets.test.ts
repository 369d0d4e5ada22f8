import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { formsOf, partsOf } from '../../electron/core/oauth/secret-forms.ts';
import { createSecretRedaction } from '../../electron/relay/secret-redaction.ts';
import { createLog } from '../../electron/core/base/log.ts';
import { Secret } from '../../electron/core/base/secret.ts';
import { readBody, startListener } from '../fixtures/listener.ts';
import { startRelayRig, tokenAnswer, type RelayRig } from '../fixtures/relay-rig.ts';
import type { SocketHost } from '../fixtures/socket-host.ts';
import { closeAfterEach } from '../fixtures/closing.ts';

// Servers that repeat the token in a response. Hosts write responses to transcripts, which must not contain tokens.

const closing = closeAfterEach();
const token = 'mark-7Qd2hJ+w/9.eyJzdWIiOiJhZGEifQ=&x';
const mark = '[removed by Keybridge]';

/** The secret in longer texts, in the encodings that servers use. */
const written: readonly (readonly [string, string])[] = [
  ['unchanged', `Bearer ${token}`],
  ['URL-encoded', encodeURIComponent(token)],
  [
    'URL-encoded with lower-case digits',
    encodeURIComponent(token)
      .toLowerCase()
      .replace(
        encodeURIComponent(token).toLowerCase(),
        encodeURIComponent(token).replaceAll(/%../g, (one) => one.toLowerCase()),
      ),
  ],
  ['in hex', Buffer.from(token).toString('hex')],
  ['in upper-case hex', Buffer.from(token).toString('hex').toUpperCase()],
  ...['', 'a', 'ab', 'Authorization: Bearer '].flatMap((before): [string, string][] => [
    [`in base64 behind ${before.length} bytes`, Buffer.from(`${before}${token}, and more`).toString('base64')],
    [`in base64url behind ${before.length} bytes`, Buffer.from(`${before}${token}, and more`).toString('base64url')],
  ]),
];
const escaped: readonly (readonly [string, string])[] = [
  ['in JSON with escaped slashes', token.replaceAll('/', '\\/')],
  ['as .NET escapes it', token.replaceAll('+', '\\u002B').replaceAll('&', '\\u0026').replaceAll('=', '\\u003D')],
  [
    'in JSON with other escapes',
    token.replaceAll('+', '\\u002b').replaceAll('&', '\\u0026').replaceAll('=', '\\u003d'),
  ],
];

/** Fails if the text contains any encoding or long part of the secret. */
function holdsNothing(text: string): void {
  for (const form of formsOf(token)) expect(text.includes(form), form).toBe(false);
  expect(text).not.toContain('eyJzdWIi');
}

type Answer = (
  response: ServerResponse,
  id: string,
  request: { readonly method: string | undefined; readonly sent: string },
) => void;

async function hostOf(answer: Answer): Promise<{ host: SocketHost; rig: RelayRig }> {
  const server = await startListener((request, response) => {
    void readBody(request).then((sent) =>
      answer(response, /"id":(\d+)/.exec(sent)?.[1] ?? 'null', { method: request.method, sent }),
    );
  });
  closing.push(() => server.close());
  const rig = await startRelayRig();
  closing.push(() => rig.close());
  rig.addServer('work', `${server.origin}/mcp`, () => tokenAnswer(token));
  return { host: await rig.host('work'), rig };
}

const result = (id: string, text: string) =>
  `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"before ${text} after"}]}}`;
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

describe('a token that the server repeats is removed', () => {
  it.each([...written, ...escaped])('%s from a result, whose rest reaches the host', async (_, text) => {
    const { host, rig } = await hostOf((response, id) => void response.writeHead(200, json).end(result(id, text)));
    const answer = await host.call('x');
    expect(JSON.stringify(answer)).toMatch(/before .*\[removed by Keybridge\].* after/);
    holdsNothing(host.lines.join('\n'));
    const log = rig.log.join('');
    expect(log.match(/"secret_removed"/g)).toHaveLength(1);
    holdsNothing(log);
  });

  it('from an event stream and from a notification before the response', async () => {
    const { host } = await hostOf((response, id) => {
      const notification = `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${token}"}}`;
      const body = `data: ${notification}\n\ndata: ${result(id, token)}\n\n`;
      const cut = body.lastIndexOf(token) + 10;
      response.writeHead(200, events).write(body.slice(0, cut), () => void response.end(body.slice(cut)));
    });
    await host.call('x');
    expect(host.lines).toHaveLength(2);
    for (const line of host.lines) expect(line).toContain(mark);
    holdsNothing(host.lines.join('\n'));
  });

  it.each([
    ['a JSON-RPC error', 400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"bad token ${token}"}}`],
    [
      'an explanation',
      403,
      `{"error":"x","error_description":"The token ${Buffer.from(token).toString('base64')} is not for you"}`,
    ],
    ['plain text', 403, `The token ${token} is not for you`],
  ])('in %s', async (_, status, body) => {
    const { host } = await hostOf((response) => void response.writeHead(status, json).end(body));
    expect((await host.call('x')).error).toBeDefined();
    holdsNothing(host.lines.join('\n'));
  });

  it('from the notification stream', async () => {
    const { host } = await hostOf((response, id, { method, sent }) => {
      if (method === 'GET')
        return void response
          .writeHead(200, events)
          .write(`data: {"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{"x":"${token}"}}\n\n`);
      if (sent.includes('"initialize"'))
        return void response
          .writeHead(200, json)
          .end(
            `{"jsonrpc":"2.0","id":${id},"result":{"protocolVersion":"2025-11-25","capabilities":{},` +
              '"serverInfo":{"name":"x","version":"1"}}}',
          );
      return void response.writeHead(202).end();
    });
    await host.initialize();
    await host.line(({ method }) => method === 'sampling/createMessage');
    holdsNothing(host.lines.join('\n'));
  });
});

describe('createSecretRedaction', () => {
  const removalOf = (...secrets: string[]) => {
    const lines: string[] = [];
    const removal = createSecretRedaction(
      createLog(
        (line) => void lines.push(line),
        () => 0,
        'debug',
      ),
      'work',
    );
    for (const secret of secrets) removal.learn(new Secret(secret));
    return { clean: (line: string) => removal.clean(Buffer.from(line)).toString(), lines };
  };

  it('removes every occurrence of the current token and the one before', () => {
    const { clean, lines } = removalOf('the-old-token', 'the-new-token');
    expect(clean('{"a":"the-new-token","b":["the-old-token","the-new-token"]}')).toBe(
      `{"a":"${mark}","b":["${mark}","${mark}"]}`,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"count":3');
  });

  it('returns the same object for a line without a secret', () => {
    const removal = createSecretRedaction(
      createLog(
        () => {},
        () => 0,
      ),
      'work',
    );
    removal.learn(new Secret(token));
    const line = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(removal.clean(line)).toBe(line);
  });

  it('keeps secrets of less than eight characters, which may be parts of words', () => {
    const { clean } = removalOf('result');
    expect(clean('{"jsonrpc":"2.0","id":1,"result":{}}')).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(partsOf('Key abc')).toEqual([]);
  });

  it('removes each part of a key with spaces, and the password of Basic', () => {
    const { clean } = removalOf(`Basic ${Buffer.from('ada:the-password').toString('base64')}`);
    expect(clean('{"a":"ada uses the-password"}')).toBe(`{"a":"ada uses ${mark}"}`);
  });

  it('keeps the line valid JSON when a key of digits is a number in it', () => {
    const { clean } = removalOf('12345678901');
    expect(JSON.parse(clean('{"jsonrpc":"2.0","id":7,"result":{"n":12345678901}}'))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { n: 0 },
    });
    expect(JSON.parse(clean('{"jsonrpc":"2.0","id":7,"result":{"n":"12345678901"}}'))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { n: mark },
    });
  });
});

describe('a token that is hard to remove', () => {
  const answer = (text: string) => `{"jsonrpc":"2.0","id":7,"result":{"x":"${text}"}}`;
  const removalOf = (secret: string) => {
    const removal = createSecretRedaction(
      createLog(
        () => {},
        () => 0,
      ),
      'work',
    );
    removal.learn(new Secret(secret));
    return (line: string) => removal.clean(Buffer.from(line)).toString();
  };

  it('two million times from one response turns the response into an error with the same id', () => {
    const clean = removalOf('aaaaaaaa');
    const said = clean(answer('aaaaaaaa'.repeat(2_000_000)));
    expect(said.length).toBeLessThan(1_000);
    expect(JSON.parse(said)).toMatchObject({ id: 7, error: { data: { code: 'E_SERVER_ANSWER' } } });
  });

  it('is searched for in linear time when it is repetitive', () => {
    const clean = removalOf('a'.repeat(4_000));
    const near = answer(`${'a'.repeat(3_999)}b`.repeat(4_000));
    for (let count = 0; count < 10; count += 1) expect(JSON.parse(clean(near))).toMatchObject({ id: 7 });
  });

  it.each(['a'.repeat(4_000), `${'a'.repeat(2_000)}b${'a'.repeat(2_000)}`, 'ab'.repeat(50), `x${'0'.repeat(99)}`])(
    'is removed when it is repetitive',
    (secret) => {
      const clean = removalOf(secret);
      expect(clean(answer(`before ${secret} and ${secret}`))).toBe(answer(`before ${mark} and ${mark}`));
      expect(clean(answer(Buffer.from(`.${secret}.`).toString('base64')))).toContain(mark);
    },
  );

  it('is removed when two of its encodings overlap', () => {
    expect(removalOf('secret-secret')(answer('secret-secret-secret'))).not.toContain('secret-secret');
    expect(removalOf('abcabcabc')(answer('abcabcabcabc'))).not.toContain('abcabcabc');
  });
});
