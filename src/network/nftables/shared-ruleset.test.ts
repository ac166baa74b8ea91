import { describe, expect, it } from 'vitest';
import type { RulesetPart } from './ruleset.ts';
import { SharedRuleset } from './shared-ruleset.ts';

function part(
  elements: Readonly<Record<string, string>>,
  more: { readonly set?: string; readonly chain?: string } = {},
): RulesetPart {
  return {
    sets: new Map(more.set === undefined ? [] : [[more.set, 'type ipv4_addr;']]),
    chains: new Map(more.chain === undefined ? [] : [[more.chain, ['drop']]]),
    elements: new Map(Object.entries(elements)),
  };
}

describe('parts of several owners', () => {
  it('are there once, until the last lets go', () => {
    const ruleset = new SharedRuleset('ip t');
    ruleset.set('a', part({ 's 10.0.0.1': '' }, { set: 's', chain: 'c' }));
    ruleset.set('b', part({ 's 10.0.0.2': '' }, { set: 's', chain: 'c' }));
    expect(ruleset.takeCommands()).toEqual([
      'add set ip t s { type ipv4_addr; }',
      'add chain ip t c',
      'add rule ip t c drop',
      'add element ip t s { 10.0.0.1, 10.0.0.2 }',
    ]);
    ruleset.set('a', undefined);
    expect(ruleset.takeCommands()).toEqual(['delete element ip t s { 10.0.0.1 }']);
    ruleset.set('b', undefined);
    expect(ruleset.takeCommands()).toEqual([
      'delete element ip t s { 10.0.0.2 }',
      'flush chain ip t c',
      'delete chain ip t c',
      'delete set ip t s',
    ]);
    expect(ruleset.isEmpty).toBe(true);
  });

  it('give an element the value that was given last, and the one before when that goes', () => {
    const ruleset = new SharedRuleset('ip t');
    ruleset.set('old', part({ 'm 10.0.0.1': 'jump x' }));
    ruleset.takeCommands();
    ruleset.set('new', part({ 'm 10.0.0.1': 'jump y' }));
    expect(ruleset.takeCommands()).toEqual([
      'delete element ip t m { 10.0.0.1 }',
      'add element ip t m { 10.0.0.1 : jump y }',
    ]);
    ruleset.set('new', undefined);
    expect(ruleset.takeCommands()).toEqual([
      'delete element ip t m { 10.0.0.1 }',
      'add element ip t m { 10.0.0.1 : jump x }',
    ]);
  });

  it('say nothing of what comes and goes between two looks', () => {
    const ruleset = new SharedRuleset('ip t');
    ruleset.set('a', part({ 's 10.0.0.1': '' }, { set: 's' }));
    ruleset.set('a', undefined);
    expect(ruleset.takeCommands()).toEqual([]);
    ruleset.set('a', part({ 's 10.0.0.1': '' }, { set: 's', chain: 'c' }));
    ruleset.takeCommands();
    ruleset.set('a', part({ 's 10.0.0.1': '' }, { set: 's', chain: 'c' }));
    expect(ruleset.takeCommands()).toEqual([]);
    expect(ruleset.allCommands).toEqual([
      'add set ip t s { type ipv4_addr; }',
      'add chain ip t c',
      'add rule ip t c drop',
      'add element ip t s { 10.0.0.1 }',
    ]);
  });
});
