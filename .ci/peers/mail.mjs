// A mail server that nobody here wrote (npm's smtp-server), as a peer for tests.
//
//     node .ci/peers/mail.mjs
//
// Environment: PORT (0: any), STARTTLS=required|offered|off (off), USERNAME and PASSWORD (no sign-in asked for without them),
// TLS_KEY and TLS_CERT (PEM files; without them smtp-server's own self-signed pair serves STARTTLS).
// Stdout: first `ready smtp://127.0.0.1:PORT`, then one JSON line per accepted message: {"from","to":[…],"data","secure"}.
// Recipients choose the weather: nouser@… is refused for good (550), greylist@… for now (451), slow@… is kept waiting
// for five seconds. While the file named by FAIL_FILE exists, every message is refused for now (451).
// Ends on SIGTERM, or when stdin closes: a test that dies takes its peer along.
import fs from 'node:fs';
import { SMTPServer } from 'smtp-server';

const env = process.env;
const starttls = env.STARTTLS ?? 'off';
const account = env.USERNAME ? { username: env.USERNAME, password: env.PASSWORD ?? '' } : null;

const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });

const server = new SMTPServer({
  name: 'mail.test',
  disabledCommands: [...(starttls === 'off' ? ['STARTTLS'] : []), ...(account ? [] : ['AUTH'])],
  authOptional: !account,
  allowInsecureAuth: starttls === 'off',
  disableReverseLookup: true,
  ...(env.TLS_KEY ? { key: fs.readFileSync(env.TLS_KEY), cert: fs.readFileSync(env.TLS_CERT) } : {}),
  onAuth(given, _session, done) {
    const right = given.username === account?.username && given.password === account?.password;
    done(right ? null : refusal(535, 'authentication failed'), right ? { user: given.username } : undefined);
  },
  onMailFrom(_address, session, done) {
    done(starttls === 'required' && !session.secure ? refusal(530, 'must issue a STARTTLS command first') : null);
  },
  onRcptTo({ address }, _session, done) {
    if (address.startsWith('nouser@')) return done(refusal(550, '5.1.1 no such user'));
    if (address.startsWith('greylist@')) return done(refusal(451, '4.7.1 try again later'));
    done();
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      if (env.FAIL_FILE && fs.existsSync(env.FAIL_FILE)) return done(refusal(451, '4.3.0 temporary failure'));
      const to = session.envelope.rcptTo.map((r) => r.address);
      const accept = () => {
        const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
        const line = { from, to, data: Buffer.concat(parts).toString('utf8'), secure: session.secure };
        process.stdout.write(`${JSON.stringify(line)}\n`);
        done(null, 'accepted');
      };
      setTimeout(accept, to.some((address) => address.startsWith('slow@')) ? 5000 : 0);
    });
  },
});

server.on('error', (error) => process.stderr.write(`${error.message}\n`));
server.listen(Number(env.PORT ?? 0), '127.0.0.1', () => {
  process.stdout.write(`ready smtp://127.0.0.1:${server.server.address().port}\n`);
});

const end = () => process.exit(0);
process.on('SIGTERM', end);
process.stdin.on('end', end).resume();
