import type { Nft } from '../nftables/nft-session.ts';
import type { RulesetPart } from '../nftables/ruleset.ts';
import { SharedRuleset } from '../nftables/shared-ruleset.ts';
import { emptyPolicyTable, policyTable, type PolicyTableOptions } from './policy-table.ts';

export interface PolicyEnforcerOptions extends PolicyTableOptions {
  /** nft where the pods' packets pass. */
  readonly nft: Nft;
}

/** Parts of the policy table by their owner; `undefined`: the owner adds nothing any more. */
export type PolicyChange = ReadonlyMap<string, RulesetPart | undefined>;

/** The policy table of one network namespace. Not there as long as nobody is isolated. */
export interface PolicyEnforcer {
  /**
   * Brings a change into force in one transaction. Not called again before. The first call replaces whatever an earlier
   * process left; after a failure an empty change tries everything again.
   */
  apply(change: PolicyChange): Promise<void>;
}

/** An enforcer that has not touched the table yet. */
export function createPolicyEnforcer(options: PolicyEnforcerOptions): PolicyEnforcer {
  const table = policyTable(options.clusterId);
  const ruleset = new SharedRuleset(table);
  let state: 'unknown' | 'absent' | 'inForce' = 'unknown';

  async function replaceAll(): Promise<void> {
    const commands = ruleset.allCommands;
    if (commands.length === 0 && state === 'absent') return;
    const empty = commands.length === 0;
    state = 'unknown';
    await options.nft.load(
      empty
        ? `add table ${table}\ndelete table ${table}\n`
        : `${emptyPolicyTable(options)}${commands.join('\n')}\n`,
    );
    state = empty ? 'absent' : 'inForce';
  }

  return {
    async apply(change) {
      for (const [owner, part] of change) ruleset.set(owner, part);
      const commands = ruleset.takeCommands();
      if (state !== 'inForce' || ruleset.isEmpty) return await replaceAll();
      if (commands.length === 0) return undefined;
      try {
        await options.nft.apply(commands);
      } catch {
        // Somebody changed the table (flushed all rules): makes it anew.
        await replaceAll();
      }
      return undefined;
    },
  };
}
