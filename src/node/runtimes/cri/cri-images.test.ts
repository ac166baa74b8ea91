import { describe, expect, it } from 'vitest';
import { ImageError } from '../../image-service.ts';
import { CriError, type CriConnection } from './connect-cri.ts';
import { criImages } from './cri-images.ts';

/** A runtime that gives an image to whoever has the right password. */
function runtimeWith(password: string | undefined): {
  readonly connection: CriConnection;
  readonly tried: (string | undefined)[];
} {
  const tried: (string | undefined)[] = [];
  const answers: Readonly<Record<string, (request: never) => object>> = {
    PullImage: ({ auth }: { readonly auth?: { readonly password: string } }) => {
      tried.push(auth?.password);
      if (auth?.password !== password) throw new CriError(2, 'failed to authorize: 401 Unauthorized');
      return { image_ref: 'sha256:1' };
    },
    ImageStatus: () => ({
      image: {
        id: 'sha256:1',
        repo_tags: ['r.test/a:1'],
        repo_digests: [],
        size: 5,
        uid: { value: 65_535 },
        username: '',
        pinned: false,
      },
      info: { info: JSON.stringify({ imageSpec: { config: { Env: ['A=b'], StopSignal: 'SIGQUIT' } } }) },
    }),
    ListImages: () => ({
      images: ['r.test/a:1', 'pause:1'].map((tag) => ({
        id: tag,
        repo_tags: [tag],
        repo_digests: [],
        size: 1,
        uid: null,
        username: '',
        pinned: false,
      })),
    }),
  };
  const connection = {
    call: async (name: string, request: never) => answers[name]?.(request),
    events: () => ({ close: () => undefined }),
    close: () => undefined,
  } as CriConnection;
  return { connection, tried };
}

const registryOf = (reference: string): string => reference.split('/')[0] ?? '';
const login = (
  registry: string,
  password: string,
): { registry: string; username: string; password: string } => ({
  registry,
  username: 'u',
  password,
});

describe('pulling', () => {
  it('tries the credentials of the registry one after the other', async () => {
    const { connection, tried } = runtimeWith('right');
    const images = criImages({ connection, registryOf });
    const credentials = [login('other.test', 'x'), login('r.test', 'wrong'), login('r.test', 'right')];
    const image = await images.pull('r.test/a:1', { credentials });
    expect(tried).toEqual(['wrong', 'right']);
    expect(image).toMatchObject({
      id: 'sha256:1',
      config: { user: '65535', env: ['A=b'], stopSignal: 'SIGQUIT' },
    });
  });

  it('asks as nobody without credentials, and says when that is not enough', async () => {
    const { connection, tried } = runtimeWith('right');
    const pulling = criImages({ connection, registryOf }).pull('r.test/a:1', { credentials: [] });
    const failure = await pulling.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ImageError);
    expect(failure).toMatchObject({ code: 'UNAUTHORIZED', message: 'failed to authorize: 401 Unauthorized' });
    expect(tried).toEqual([undefined]);
  });
});

it('does not list the image of sandboxes', async () => {
  const { connection } = runtimeWith(undefined);
  const listed = await criImages({ connection, registryOf, sandboxImage: 'pause:1' }).list();
  expect(listed.map(({ id }) => id)).toEqual(['r.test/a:1']);
});
