//! The beginnings from which random calls go on.

use crate::moves::{self, Move};

/// A world of contracts.
pub struct Scenario {
    /// For reports, and to pick one with `TWIN_ONLY`.
    pub name: &'static str,
    /// Contracts that the run is about; others are there to be called.
    pub tested: &'static [&'static str],
    /// Models that the contracts ask.
    pub models: &'static [&'static str],
    /// `deploy ACCOUNT NAME CONTRACT(arguments)` and `call ACCOUNT VALUE NAME FUNCTION(arguments)`.
    pub setup: &'static [&'static str],
    /// Seconds that pass now and then.
    pub waits: &'static [u64],
    /// Makes a random call one that has a chance.
    pub moves: Move,
}

/// The files of the corpus.
pub const FILES: [&str; 13] = [
    "credit.synq",
    "dao.synq",
    "delegation.synq",
    "escrow.synq",
    "gate.synq",
    "multisig.synq",
    "names.synq",
    "nft.synq",
    "oracle.synq",
    "staking.synq",
    "token.synq",
    "treasury.synq",
    "vesting.synq",
];

const DAY: u64 = 86_400;
const SHORT: &[u64] = &[1, 7, 60, 200];

/// All of them.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "token",
        tested: &["GovernanceToken"],
        models: &[],
        setup: &[
            "deploy alice token GovernanceToken(Gold, AU, 100000, 500000, $mldsa0)",
            "call alice 0 token transfer(@bob, 3000)",
        ],
        waits: SHORT,
        moves: moves::token,
    },
    Scenario {
        name: "multisig",
        tested: &["MultisigWallet"],
        models: &[],
        setup: &[
            "deploy alice wallet MultisigWallet([@alice, @bob, @carol], [$mldsa0, $mldsa1, $mldsa2], 2)",
            "deploy alice token GovernanceToken(T, T, 1000, 1000, $mldsa0)",
            "call dave 5000 wallet deposit()",
            "call alice 0 wallet propose(@erin, 100, 0x)",
            "call alice 0 token transfer(@wallet, 500)",
        ],
        waits: SHORT,
        moves: moves::multisig,
    },
    Scenario {
        name: "dao",
        tested: &["SecretBallotDao"],
        models: &[],
        setup: &[
            "deploy frank dao SecretBallotDao(500, 3)",
            "call frank 400 dao fund()",
            "call frank 0 dao setMember(@alice, 3)",
            "call frank 0 dao setMember(@bob, 2)",
            "call frank 0 dao setMember(@carol, 1)",
            "call alice 0 dao propose(roof, @erin, 20, $mlkem0)",
            "call alice 0 dao propose(door, @erin, 20, $mlkem1)",
        ],
        waits: SHORT,
        moves: moves::dao,
    },
    Scenario {
        name: "nft",
        tested: &["RoyaltyNft"],
        models: &[],
        setup: &["deploy frank nft RoyaltyNft()"],
        waits: SHORT,
        moves: moves::nft,
    },
    Scenario {
        name: "escrow",
        tested: &["Escrow"],
        models: &[],
        setup: &[
            "deploy frank escrow Escrow(250)",
            "call alice 1000 escrow open(@bob, @carol, 300, chair)",
        ],
        waits: SHORT,
        moves: moves::escrow,
    },
    Scenario {
        name: "staking",
        tested: &["StakingRewards"],
        models: &[],
        setup: &[
            "deploy frank stake GovernanceToken(T, T, 1000000, 1000000, $mldsa0)",
            "deploy frank reward GovernanceToken(T, T, 1000000, 1000000, $mldsa0)",
            "deploy frank pool StakingRewards(@stake, @reward, 50)",
            "call frank 0 stake transfer(@alice, 10000)",
            "call frank 0 stake transfer(@bob, 10000)",
            "call alice 0 stake approve(@pool, 100000)",
            "call bob 0 stake approve(@pool, 100000)",
            "call frank 0 reward approve(@pool, 1000000)",
            "call frank 0 pool notifyReward(2000, 100)",
        ],
        waits: SHORT,
        moves: moves::staking,
    },
    Scenario {
        name: "delegation",
        tested: &["DelegatedStaking", "SlashingAuthority"],
        models: &[],
        setup: &[
            "deploy frank staking DelegatedStaking(100, 50)",
            "deploy frank authority SlashingAuthority(@staking, $fndsa0)",
            "call frank 0 staking setAuthority(@authority)",
            "call alice 1000 staking register(one, 1000)",
            "call bob 200 staking register(two, 0)",
        ],
        waits: SHORT,
        moves: moves::delegation,
    },
    Scenario {
        name: "treasury",
        tested: &["Treasury"],
        models: &[],
        setup: &[
            "deploy frank treasury Treasury([@alice, @bob, @carol], [10, 1000], 2500, $guard0)",
            "call dave 10000 treasury receive_()",
        ],
        waits: &[1, 7, 60, 200, 200, 200, 3 * DAY, 16 * DAY],
        moves: moves::treasury,
    },
    Scenario {
        name: "names",
        tested: &["NameRegistry"],
        models: &[],
        setup: &[
            "deploy frank names NameRegistry(1)",
            "call alice 1 names register(alice, 1)",
            "call bob 1 names register(bob-1, 1)",
        ],
        waits: &[1, 7, 60, 200, 90 * DAY],
        moves: moves::names,
    },
    Scenario {
        name: "oracle",
        tested: &["PriceOracle"],
        models: &[],
        setup: &[
            "deploy frank oracle PriceOracle(2)",
            "call frank 0 oracle addAttestor(@alice, $fndsa0)",
            "call frank 0 oracle addAttestor(@bob, $fndsa1)",
            "call frank 0 oracle addAttestor(@carol, $fndsa2)",
            "call frank 0 oracle addFeed(a, 8, 5000)",
            "call frank 0 oracle addFeed(b, 8, 100)",
        ],
        waits: SHORT,
        moves: moves::oracle,
    },
    Scenario {
        name: "vesting",
        tested: &["Vesting"],
        models: &[],
        setup: &[
            "deploy frank token GovernanceToken(T, T, 1000000, 1000000, $mldsa0)",
            "deploy frank vesting Vesting(@token)",
            "call frank 0 token transfer(@vesting, 100000)",
            "call frank 0 vesting grant(@alice, 1000, 1700000000, 1700000100, 1700002000, true)",
            "call frank 0 vesting grantSteps(@bob, [(1700000100, 5), (1700000900, 7)])",
        ],
        waits: SHORT,
        moves: moves::vesting,
    },
    Scenario {
        name: "credit",
        tested: &["CreditScorer"],
        models: &["models/credit-int8.onnx"],
        setup: &[
            "deploy frank credit CreditScorer(100, 1000, 5000)",
            "call erin 100000 credit fund()",
        ],
        waits: &[1, 7, 60, 200, 10 * DAY],
        moves: moves::credit,
    },
    Scenario {
        name: "gate",
        tested: &["ContentGate", "AuthorPoints"],
        models: &["models/gate-int8.onnx"],
        setup: &[
            "deploy frank gate ContentGate(40000, 0)",
            "deploy frank points AuthorPoints(@gate)",
            "deploy frank mine AuthorPoints(@alice)",
            "call frank 0 gate follow(@points)",
            "call frank 0 gate setModerator(@erin, true)",
        ],
        waits: SHORT,
        moves: moves::gate,
    },
];
