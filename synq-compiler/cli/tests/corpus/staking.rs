use crate::common::{Chain, GENESIS};

fn fresh() -> Chain {
    let mut c = Chain::new();
    for name in ["stake", "reward"] {
        c.deploy(
            "frank",
            name,
            "token.synq",
            "GovernanceToken",
            "T, T, 1000000, 1000000, 0x00",
        );
    }
    c.deploy(
        "frank",
        "pool",
        "staking.synq",
        "StakingRewards",
        "@stake, @reward, 50",
    );
    for who in ["alice", "bob"] {
        c.call("frank", "stake", &format!("transfer(@{who}, 1000)"))
            .ok();
        c.call(who, "stake", "approve(@pool, 1000)").ok();
    }
    c.call("frank", "reward", "approve(@pool, 100000)").ok();
    c
}

#[test]
fn rewards_are_shared_by_stake_and_time() {
    let mut c = fresh();
    c.call("alice", "pool", "stake(100)")
        .ok()
        .logs(&["Transfer(@alice, @pool, 100)", "Staked(@alice, 100)"]);
    c.call("frank", "pool", "notifyReward(1000, 100)")
        .ok()
        .logs(&[
            "Transfer(@frank, @pool, 1000)",
            &format!("RewardAdded(1000, {})", GENESIS + 100),
        ]);
    c.view("pool", "rewardRate()").returns("10");
    c.wait(20);
    c.view("pool", "earned(@alice)").returns("200");
    c.call("bob", "pool", "stake(300)").ok();
    c.wait(40);
    c.view("pool", "earned(@alice)").returns("300");
    c.view("pool", "earned(@bob)").returns("300");
    c.call("alice", "pool", "claim()")
        .returns("300")
        .logs(&["Transfer(@pool, @alice, 300)", "RewardPaid(@alice, 300)"]);
    c.call("alice", "pool", "claim()").returns("0").logs(&[]);
    c.wait(1000);
    c.view("pool", "earned(@bob)").returns("600");
    c.call("alice", "pool", "exit()").returns("100, 100");
    c.view("pool", "stakerCount()").returns("1");
    c.view("pool", "largest()").returns("@bob, 300");
    c.call("bob", "pool", "withdraw(120)").ok();
    c.view("pool", "positions(@bob)")
        .returns(&format!("180, 4000000000000000000, 600, {}", GENESIS + 20));
    c.view("stake", "balanceOf(@pool)").returns("180");
    c.view("reward", "balanceOf(@alice)").returns("400");
}

#[test]
fn a_second_round_takes_what_is_left() {
    let mut c = fresh();
    c.call("alice", "pool", "stake(1)").ok();
    c.call("frank", "pool", "notifyReward(1000, 100)").ok();
    c.wait(50);
    c.call("frank", "pool", "notifyReward(500, 100)").ok();
    c.view("pool", "rewardRate()").returns("10");
    c.wait(100);
    c.view("pool", "earned(@alice)").returns("1500");
}

#[test]
fn what_is_refused() {
    let mut c = fresh();
    c.call("alice", "pool", "stake(0)").fails("stake is zero");
    c.call("alice", "pool", "stake(1001)")
        .fails("InsufficientAllowance(@pool, 1000, 1001)");
    c.call("alice", "pool", "stake(10)").ok();
    c.call("alice", "pool", "withdraw(10)")
        .fails(&format!("Locked({})", GENESIS + 50));
    c.call("alice", "pool", "withdraw(11)")
        .fails("StakeTooSmall(10, 11)");
    c.call("alice", "pool", "notifyReward(1, 1)")
        .fails("admin only");
    c.call("frank", "pool", "notifyReward(1, 0)")
        .fails("duration");
    c.call("frank", "pool", "notifyReward(1, 2)")
        .fails("rate is zero");
    c.wait(50);
    c.call("alice", "pool", "withdraw(10)").ok();
    c.view("pool", "totalStaked()").returns("0");
}
