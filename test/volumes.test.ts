import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { projectRoot, startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { start, type Running } from './support/run.ts';

const image = 'docker.io/library/busybox:1.36';

/** A pod whose container runs a script with volumes at `/NAME`. */
function pod(
  name: string,
  script: string,
  volumes: readonly { readonly name: string }[],
  more: object = {},
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      restartPolicy: 'Never',
      volumes,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', script],
          volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` })),
        },
      ],
      ...more,
    },
  };
}

interface ClaimVolume {
  readonly name: string;
  readonly persistentVolumeClaim: { readonly claimName: string };
}

const used = (name: string, claimName: string): ClaimVolume => ({
  name,
  persistentVolumeClaim: { claimName },
});

function claim(name: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Mi' } }, ...spec },
  };
}

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'volumes', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;

  beforeAll(async () => {
    cluster = await startKanoe(['--load', imageArchive('busybox')]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  /** Runs a pod to its end and gives its output. */
  async function output(object: object): Promise<string> {
    const { name } = (object as { readonly metadata: { readonly name: string } }).metadata;
    await kubectl.apply([object]);
    await kubectl('wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=40s');
    const text = await kubectl('logs', name);
    await kubectl('delete', 'pod', name);
    return text;
  }
  const claimOf = (name: string): Promise<PersistentVolumeClaim> =>
    kubectl.json<PersistentVolumeClaim>('get', 'pvc', name);
  const volumeOf = async (name: string): Promise<PersistentVolume> =>
    kubectl.json<PersistentVolume>('get', 'pv', (await claimOf(name)).spec.volumeName ?? '');

  it('serves a claim without a class once a pod uses it, and keeps the data between pods', async () => {
    await kubectl.apply([claim('data')]);
    expect((await claimOf('data')).status?.phase).toBe('Pending');
    await output(pod('first', 'echo kept > /d/file', [used('d', 'data')]));
    expect(await output(pod('second', 'cat /d/file', [used('d', 'data')]))).toBe('kept\n');
    expect((await volumeOf('data')).spec).toMatchObject({
      storageClassName: 'standard',
      persistentVolumeReclaimPolicy: 'Delete',
      csi: { driver: 'local.kanoe.io' },
    });
  });

  it('gives the files to the group of the pod', async () => {
    const options = { securityContext: { runAsUser: 1000, fsGroup: 2000 } };
    const script = 'echo x > /d/mine; stat -c "%g %A" /d /d/mine; id -G';
    await kubectl.apply([claim('grouped')]);
    expect(await output(pod('grouped', script, [used('d', 'grouped')], options))).toBe(
      '2000 drwxrwsrwx\n2000 -rw-r--r--\n0 2000\n',
    );
  });

  it('takes snapshots, restores them, and clones volumes', async () => {
    await kubectl.apply([claim('origin')]);
    await output(pod('write', 'echo old > /d/file', [used('d', 'origin')]));
    await eventually(() => kubectl('get', 'volumesnapshotclass', 'standard'));
    await kubectl.apply([
      {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        metadata: { name: 'before' },
        spec: { source: { persistentVolumeClaimName: 'origin' } },
      },
    ]);
    await kubectl(
      'wait',
      'volumesnapshot/before',
      '--for=jsonpath={.status.readyToUse}=true',
      '--timeout=20s',
    );
    await output(pod('overwrite', 'echo new > /d/file', [used('d', 'origin')]));
    const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'before' };
    await kubectl.apply([
      claim('restored', { dataSource }),
      claim('cloned', { dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'origin' } }),
    ]);
    const both = pod('read', 'cat /r/file /c/file', [used('r', 'restored'), used('c', 'cloned')]);
    expect(await output(both)).toBe('old\nnew\n');
    await kubectl('delete', 'volumesnapshot', 'before');
    await eventually(async () => {
      expect(await kubectl('get', 'volumesnapshotcontents', '-o', 'name')).toBe('');
    });
  });

  it('grows claims and removes or keeps what they leave', async () => {
    const keep = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'keep' },
      provisioner: 'local.kanoe.io',
      reclaimPolicy: 'Retain',
      allowVolumeExpansion: true,
    };
    await kubectl.apply([keep, claim('grown', { storageClassName: 'keep' }), claim('gone')]);
    await kubectl('wait', 'pvc/grown', '--for=jsonpath={.status.phase}=Bound', '--timeout=20s');
    await kubectl('patch', 'pvc', 'grown', '-p', '{"spec":{"resources":{"requests":{"storage":"30Mi"}}}}');
    await kubectl('wait', 'pvc/grown', '--for=jsonpath={.status.capacity.storage}=30Mi', '--timeout=20s');
    const kept = (await volumeOf('grown')).metadata.name ?? '';
    await output(pod('use', 'true', [used('d', 'gone')]));
    const gone = (await volumeOf('gone')).metadata.name ?? '';
    await kubectl('delete', 'pvc', 'grown', 'gone');
    await kubectl('wait', `pv/${kept}`, '--for=jsonpath={.status.phase}=Released', '--timeout=20s');
    await eventually(async () => {
      expect(await kubectl('get', 'pv', '-o', 'name')).not.toContain(gone);
    });
  });

  it('gives a volume of mode Block to a container as a device', async () => {
    const script =
      'printf kept | dd of=/dev/xvda conv=fsync && head -c 4 /dev/xvda && echo && stat -c %F /dev/xvda';
    const volumes = [used('d', 'raw')];
    const main = {
      name: 'main',
      image,
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', `{ ${script}; } 2> /dev/null`],
      volumeDevices: [{ name: 'd', devicePath: '/dev/xvda' }],
    };
    await kubectl.apply([claim('raw', { volumeMode: 'Block' })]);
    expect(await output(pod('raw', '', volumes, { containers: [main] }))).toBe('kept\nblock special file\n');
  });

  it('shows an image as a volume, of which nothing can be changed or executed', async () => {
    const script = 'ls /i/bin/busybox && ! touch /i/x && ! /i/bin/busybox true; echo done';
    const volume = { name: 'i', image: { reference: image, pullPolicy: 'IfNotPresent' } };
    expect(await output(pod('image', script, [volume]))).toContain('/i/bin/busybox\n');
    await kubectl.apply([pod('image-kept', 'exec sleep 100', [volume])]);
    await kubectl('wait', 'pod/image-kept', '--for=condition=Ready', '--timeout=40s');
    const { status } = await kubectl.json<Pod>('get', 'pod', 'image-kept');
    expect(status?.containerStatuses?.[0]?.volumeMounts?.[0]).toMatchObject({
      name: 'i',
      volumeStatus: { image: { imageRef: expect.stringContaining('sha256:') as string } },
    });
    await kubectl('delete', 'pod', 'image-kept');
  });

  it('shows the mounts of a privileged container to others', async () => {
    const shared = { name: 's', emptyDir: {} };
    const container = (
      name: string,
      script: string,
      mountPropagation: string,
      more: object = {},
    ): object => ({
      name,
      image,
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      volumeMounts: [{ name: 's', mountPath: '/s', mountPropagation }],
      ...more,
    });
    const mounting =
      'mkdir -p /s/below && mount -t tmpfs tmpfs /s/below && echo seen > /s/below/file; exec sleep 100';
    const reading = 'until cat /s/below/file 2> /dev/null; do sleep 0.1; done';
    await kubectl.apply([
      pod('propagation', '', [shared], {
        containers: [
          container('mounts', mounting, 'Bidirectional', { securityContext: { privileged: true } }),
          container('reads', reading, 'HostToContainer'),
        ],
      }),
    ]);
    await eventually(async () => {
      expect(await kubectl('logs', 'propagation', '-c', 'reads')).toBe('seen\n');
    });
    await kubectl('delete', 'pod', 'propagation');
  });

  describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'of a CSI driver', () => {
    const driver = 'test.csi.example';
    let running: Running | undefined;
    let node = '';

    beforeAll(async () => {
      node = join(cluster.record().dataDirectory, 'nodes/1');
      running = start(process.execPath, [join(projectRoot, 'test/support/csi-driver.mjs'), node, driver]);
      await eventually(async () => {
        const names = await kubectl('get', 'csinodes', '-o', 'jsonpath={..drivers[*].name}');
        if (!names.includes(driver)) throw new Error(`${driver} has not registered: ${names}`);
      });
    });
    afterAll(() => running?.stop());

    const methods = (): readonly string[] =>
      readFileSync(join(node, `${driver}.calls`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly method: string }).method);

    it('are staged, published and taken back, inline ones too', async () => {
      await kubectl.apply([
        {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'CSIDriver',
          metadata: { name: driver },
          spec: {
            attachRequired: false,
            podInfoOnMount: true,
            volumeLifecycleModes: ['Persistent', 'Ephemeral'],
          },
        },
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name: 'csi' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            capacity: { storage: '20Mi' },
            storageClassName: '',
            csi: { driver, volumeHandle: 'one' },
          },
        },
        claim('csi', { storageClassName: '', volumeName: 'csi' }),
      ]);
      const inline = { name: 'i', csi: { driver, volumeAttributes: { color: 'blue' } } };
      const script = 'echo kept > /d/file; cat /i/context.json';
      const context = JSON.parse(await output(pod('csi-pod', script, [used('d', 'csi'), inline]))) as object;
      expect(context).toMatchObject({
        color: 'blue',
        'csi.storage.k8s.io/pod.name': 'csi-pod',
        'csi.storage.k8s.io/ephemeral': 'true',
      });
      expect(
        methods()
          .filter((method) => method.endsWith('Volume'))
          .toSorted(),
      ).toEqual([
        'NodePublishVolume',
        'NodePublishVolume',
        'NodeStageVolume',
        'NodeUnpublishVolume',
        'NodeUnpublishVolume',
        'NodeUnstageVolume',
      ]);
      expect(await output(pod('csi-again', 'cat /d/file', [used('d', 'csi')]))).toBe('kept\n');
    });

    it('wait for their attacher', async () => {
      await kubectl('delete', 'csidriver', driver);
      await kubectl.apply([pod('attached', 'cat /d/file', [used('d', 'csi')])]);
      const attachment = await eventually(async () => {
        const name = await kubectl('get', 'volumeattachments', '-o', 'name');
        expect(name).not.toBe('');
        return name.trim();
      });
      await kubectl(
        'patch',
        attachment,
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"attached":true,"attachmentMetadata":{"device":"x"}}}',
      );
      await kubectl('wait', 'pod/attached', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=40s');
      expect(readFileSync(join(node, `${driver}.calls`), 'utf8')).toContain(
        '"publish_context":{"device":"x"}',
      );
    });
  });

  it('keeps the data when the cluster stops and starts', async () => {
    await kubectl.apply([claim('lasting', { accessModes: ['ReadWriteOncePod'] })]);
    await output(pod('writer', 'echo kept > /d/file', [used('d', 'lasting')]));
    await cluster.down();
    await cluster.up();
    expect(await output(pod('reader', 'cat /d/file', [used('d', 'lasting')]))).toBe('kept\n');
  });
});
