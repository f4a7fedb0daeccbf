// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice When something was put on chain, and what that cost. One storage slot.
/// @param time second of the publication that counts, 0 if there is none
/// @param timeBefore second of the one that counted until then, 0 if there was none
/// @param blockNumber block of the one that counts
/// @param gasUsed about what it cost, in gas
/// @param gasPrice what a gas of it is paid, wei
struct Publication {
    uint40 time;
    uint40 timeBefore;
    uint40 blockNumber;
    uint32 gasUsed;
    uint96 gasPrice;
}

/// @title The times of publications
library Publications {
    /// @dev Longer than any dispute (SeasonRegistry), so that a publication within a dispute keeps its time to the end.
    uint256 internal constant RENEWAL = 30 days;

    /// @dev INVARIANT P36: a publication's time moves only once it is too old to decide a dispute that ends in time, and the
    /// one before is kept: who publishes again cannot make a timely opening late.
    function isDue(Publication storage p) internal view returns (bool) {
        return p.time == 0 || block.timestamp >= uint256(p.time) + RENEWAL;
    }

    function renew(Publication storage p, uint256 gasUsed, uint256 gasPrice) internal {
        p.timeBefore = p.time;
        p.time = uint40(block.timestamp);
        p.blockNumber = uint40(block.number);
        p.gasUsed = uint32(gasUsed);
        p.gasPrice = uint96(gasPrice);
    }

    /// @notice Second of a publication that a dispute can rely on: in time, and young enough when it was filed. 0 if none is.
    function inTime(
        Publication memory p,
        uint256 filedAt,
        uint256 deadline,
        uint256 age
    ) internal pure returns (uint256) {
        if (p.time != 0 && p.time <= deadline && p.time + age >= filedAt) return p.time;
        if (p.timeBefore != 0 && p.timeBefore <= deadline && p.timeBefore + age >= filedAt) return p.timeBefore;
        return 0;
    }
}
