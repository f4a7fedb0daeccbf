#!/bin/sh
# Disputes a checkpoint with Foundry's `cast` alone: addresses from the deployment's record, signatures from docs/abi.
#   FOREIGN_KEY=0x… file_dispute.sh URL 31337.json 1 0      files over window 0 of beast 1
set -eu
[ $# -eq 4 ] || {
    echo "usage: FOREIGN_KEY=0x… $0 RPC DEPLOYMENT BEAST INDEX" >&2
    exit 2
}
rpc=$1 record=$2 beast=$3 index=$4
export ETH_RPC_URL="$rpc"

address() {
    sed -n "s/.*\"$1\": *\"\(0x[0-9a-fA-F]*\)\".*/\1/p" "$record" | head -n 1
}
ledger=$(address CheckpointLedger) court=$(address DisputeCourt) energy=$(address Energy)
first=$(sed -n 's/.*"start_block": *\([0-9]*\).*/\1/p' "$record")
me=$(cast wallet address --private-key "$FOREIGN_KEY")

# The record is a struct without anything of variable size: as the event has it, word by word, so a call takes it.
payload='(uint32,bytes32,uint128,uint8,uint8,uint32,uint32,uint8,uint32)'
checkpoint="(uint32,uint32,bytes32,$payload,uint16,address,uint64,uint128,uint128)"
submitted="CheckpointSubmitted(uint256 indexed,uint32 indexed,$checkpoint,bool)"
data=$(cast logs --from-block "$first" --address "$ledger" "$submitted" "$beast" "$index" --json |
    grep -o '"data": *"0x[0-9a-f]*"' | tail -n 1 | sed 's/.*"\(0x[0-9a-f]*\)"/\1/')
[ -n "$data" ] || {
    echo "Beast $beast has no window $index." >&2
    exit 1
}
words=$(printf '%s' "$data" | cut -c3-1090) # 17 words; the flag behind them is not of the record
arguments=$(cast abi-encode 'f(uint256)' "$beast" | cut -c3-)$words

call() { # signature: what the court is called with
    printf '%s%s' "$(cast sig "$1(uint256,$checkpoint)")" "$arguments"
}
answer=$(cast call "$court" --data "$(call quote)")
bond=$(cast to-dec "$(printf '%s' "$answer" | cut -c1-66)")
opening=$(cast shl "0x$(printf '%s' "$answer" | cut -c67-130)" 1) # twice: the base fee may rise; what is too much is credited

pay() { # whatever `cast send` takes
    cast send --private-key "$FOREIGN_KEY" --json "$@" >/dev/null
}
pay "$energy" 'approve(address,uint256)' "$ledger" "$bond"
pay "$ledger" 'deposit(uint256)' "$bond"
pay "$court" --value "$(cast to-dec "$opening")" "$(call file)"
standing=$(cast call "$court" 'disputeCount()(uint256)')
echo "dispute $standing, filed by $me over window $index of beast $beast"
