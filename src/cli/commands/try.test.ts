import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'vitest';
import { startTestCluster } from '../testing/test-cluster.ts';

it('tries', async () => {
  const cluster = await startTestCluster();
  await writeFile(
    join(cluster.directory, 'bad.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  foo: 1
data: {x: y, __proto__: z}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  replicas: many
  replicas: 3
  template:
    spec:
      containers:
      - name: a
        imagee: b
`,
  );
  await writeFile(
    join(cluster.directory, 'syntax.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
 data: {x: y
`,
  );
  await writeFile(
    join(cluster.directory, 'kind.yaml'),
    `apiVersion: v1
kind: Foo
metadata:
  name: a
`,
  );
  await writeFile(
    join(cluster.directory, 'good.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {app: x}
data: {x: "12345678901234567890", __proto__: z}
---
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: other, labels: {app: x, tier: "y"}}
spec: {containers: [{name: a, image: b},{name: c, image: d}]}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: other}
spec: {selector: {app: x}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: Bad_Name, namespace: other}
spec: {selector: {app: x}, ports: [{port: 80}]}
`,
  );
  for (const line of [
    'apply -f bad.yaml',
    'apply -f syntax.yaml',
    'apply -f kind.yaml',
    'apply -f nothere.yaml',
    'apply -f good.yaml',
    'apply -f good.yaml --dry-run=server',
    'get cm -n default',
    'get cm,ns',
    'get cm -A',
    'get po -n other -o wide',
    'get po p -n other -o yaml',
    'get pods',
    'get foo',
    'get cm zz',
    'get pod p -n other -o jsonpath={.metadata.name}/{.spec.containers[*].name}{"\\n"}',
    'get cm -o custom-columns=N:.metadata.name,D:.data',
    'get pods,svc -n other',
    'get po --show-labels -L app -A',
    'get po -A -o name',
    'get ns --sort-by=.metadata.creationTimestamp',
    'get all -n other',
    'get pod/p svc/s -n other',
    'get pod -o nope',
    'get',
    'get --bogus',
    'wait --for=condition=Ready pod/p -n other --timeout=1s',
    'wait --for=jsonpath={.metadata.name}=p pod/p -n other',
    'delete -f good.yaml --now',
    'delete cm --all',
    'delete svc nothing',
    'get pods -n other',
    'logs p -n default',
    'exec p',
    'completion bash',
    'get -h',
  ]) {
    const words: string[] = [];
    for (const w of line.split(' ')) words.push(w);
    const o = await cluster.run(words);
    console.log(`$ kanoe ${line} → ${o.code}\n${o.stdout}${o.stderr ? '!!! ' + o.stderr : ''}`);
  }
  await cluster.close();
}, 60000);
