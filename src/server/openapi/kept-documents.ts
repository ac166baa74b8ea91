import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';

/** A document, and the digest of its content as an entity tag. */
export interface Document {
  readonly etag: string;
  readonly body: Buffer;
}

/** How a document is made. */
export interface DocumentPlan {
  /** What it is made of: as long as all of that is the same, so is the document. */
  readonly of: readonly unknown[];
  /** Its pieces in order, each of which is little work. */
  pieces(): Iterable<string | Buffer>;
}

/** Documents by name, made when they are first asked for and kept while what they are made of is the same. */
export interface KeptDocuments {
  get(name: string, plan: DocumentPlan): Promise<Document>;
  /** Forgets the documents of other names. */
  keepOnly(names: ReadonlyMap<string, unknown>): void;
}

const sliceMs = 0.5;
const chunkLength = 16 * 1024;

/** Makes one document at a time, in steps of half a millisecond between which others have their turn. */
export function keptDocuments(clock: Clock): KeptDocuments {
  const kept = new Map<string, { readonly of: readonly unknown[]; readonly document: Promise<Document> }>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    get(name, plan) {
      const before = kept.get(name);
      if (before && sameItems(before.of, plan.of)) return before.document;
      const document = last.then(() => inSteps(plan.pieces(), clock));
      const made = { of: plan.of, document };
      kept.set(name, made);
      last = document.catch(() => {
        if (kept.get(name) === made) kept.delete(name);
      });
      return document;
    },
    keepOnly(names) {
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    },
  };
}

/** A document that is little work. */
export function wholeDocument(text: string): Document {
  const body = Buffer.from(text);
  return { body, etag: etagOf(createHash('sha512').update(body).digest('hex')) };
}

/** Puts pieces together; others are served in between. */
export async function inSteps(pieces: Iterable<string | Buffer>, clock: Clock): Promise<Document> {
  const hash = createHash('sha512');
  const chunks: Buffer[] = [];
  let text = '';
  const add = (chunk: Buffer): void => {
    chunks.push(chunk);
    hash.update(chunk);
  };
  const flush = (): void => {
    if (text !== '') add(Buffer.from(text));
    text = '';
  };
  let since = clock.monotonic();
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else {
      flush();
      if (piece.length > 0) add(piece);
    }
    if (text.length >= chunkLength) flush();
    if (clock.monotonic() - since < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    since = clock.monotonic();
  }
  flush();
  return { body: Buffer.concat(chunks), etag: etagOf(hash.digest('hex')) };
}

function etagOf(digest: string): string {
  return `"${digest.toUpperCase()}"`;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}
