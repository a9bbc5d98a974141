import test from 'ava';
import { hostCheck } from '../../src/metrics/allowed-hosts.ts';

const answers = test.macro({
  title: (_, host: string, header: string | undefined, holds: boolean) =>
    `listening on ${host}, the Host ${JSON.stringify(header)} is ${holds ? '' : 'not '}answered`,
  exec(t, host: string, header: string | undefined, holds: boolean) {
    const address = host === 'localhost' ? '127.0.0.1' : host === 'box.lan' ? '10.0.0.5' : host;
    const allowed = ['Proxy.example.com', '[fd00::1]'];
    t.is(hostCheck({ host, address, machine: 'trainer1', allowed })(header), holds);
  },
});

for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '0.0.0.0', '::', 'box.lan']) {
  for (const header of [
    'localhost',
    'localhost:9464',
    'LOCALHOST.',
    '127.0.0.1:1',
    '127.9.8.7',
    '[::1]',
    '[::1]:9464',
    'proxy.example.com:443',
    '[fd00::1]:80',
  ]) {
    test(answers, host, header, true);
  }
  for (const header of [
    undefined,
    '',
    'evil.example.com',
    'evil.example.com:9464',
    'localhost.evil.example.com',
    '127.0.0.1.evil.example.com',
    'evil-localhost',
    'localhost:9464@evil.example.com',
    'localhost:x',
    'localhost:123456',
    'localhost, evil.example.com',
    '127.0.0.1:9464/',
    '2130706433',
    '[::1',
    '::1',
    '[localhost]:9464]',
    'x.proxy.example.com',
    '*',
  ]) {
    test(answers, host, header, false);
  }
}

for (const host of ['127.0.0.1', '::1', 'localhost']) {
  for (const header of ['10.0.0.5:9464', 'trainer1:9464', '[fe80::1]']) {
    test(answers, host, header, false);
  }
}
for (const host of ['0.0.0.0', '::', 'box.lan']) {
  for (const header of ['10.0.0.5:9464', '192.168.7.8', '[fe80::1]', 'Trainer1:9464']) {
    test(answers, host, header, true);
  }
}
test(answers, 'box.lan', 'box.lan:9464', true);
test(answers, '0.0.0.0', 'box.lan:9464', false);
