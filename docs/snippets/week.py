import groundstate as gs

solution = gs.load("scheduling").solve(
    {
        "people": {"Ada": {"busy": "mon 9:00-14:00"}, "Bob": {"free": ["mon until 15:00", "fri"]}},
        "activities": [{"name": "Plan", "duration": "1h", "who": ["Ada", "Bob"]}],
        "preferences": [{"type": "earlier"}],
    }
)
print(solution.status, solution.answer["activities"][0]["start"])
