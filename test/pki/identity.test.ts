import test from 'ava';
import { certificateFiles, identityFiles } from '#src/pki/identity.js';

test('an identity is its certificate, its key and the authority of the API, all in one folder', (t) => {
  t.deepEqual(identityFiles('/pki', 'admin'), {
    caFile: '/pki/ca.crt',
    certFile: '/pki/admin.crt',
    keyFile: '/pki/admin.key',
  });
  t.deepEqual(certificateFiles('/pki', 'etcd-ca'), {
    certFile: '/pki/etcd-ca.crt',
    keyFile: '/pki/etcd-ca.key',
  });
});
