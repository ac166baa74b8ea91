import { expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import { inlineMount } from './csi-request.ts';

it('asks for a volume as its pod writes it', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'ns', uid: 'u' },
    spec: { containers: [] },
  };
  const mount = inlineMount(pod, 'v', {
    driver: 'd.example',
    fsType: 'xfs',
    readOnly: true,
    volumeAttributes: { color: 'blue' },
    nodePublishSecretRef: { name: 's' },
  });
  expect(mount).toMatchObject({
    driver: 'd.example',
    lifecycle: 'Ephemeral',
    fsType: 'xfs',
    readOnly: true,
    attributes: { color: 'blue' },
    publishSecret: { namespace: 'ns', name: 's' },
  });
});
