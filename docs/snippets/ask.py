"""Two optional meetings compete for one hour: the solver asks, and replies continue the solve. Replies are scripted here."""

import groundstate as gs

solver = gs.load("scheduling")
request = {
    "days": ["tue", "wed"],
    "hours": "9:00-11:00",
    "slot": 60,
    "people": {"Ada": {"busy": "tue"}, "Bob": {"free": "wed after 10:00"}},
    "activities": [
        {"name": "Plan", "duration": 60, "who": ["Ada", "Bob"], "optional": True},
        {"name": "Talk", "duration": 60, "who": "Bob", "optional": True},
    ],
}

replies = {}
solution = solver.solve(request, alternatives=2)
while solution.question is not None:
    question = solution.question
    print(solution.status.value, "·", question.text, [option.id for option in question.options])
    replies[question.id] = question.options[0].id  # a person, or a language model, would choose
    solution = solver.solve(request, alternatives=2, replies=replies)
print(solution.status.value, [(one["name"], one["start"]) for one in solution.answer["activities"]])

for activity in request["activities"]:
    activity["optional"] = False  # now Bob has an hour for two meetings
solution = solver.solve(request)
print(solution.status.value, "·", solution.violations[0].message)
for option in solution.question.options:
    print(f"  {option.label}")
