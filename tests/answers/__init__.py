"""Answers that learners might give, with what a checker must say to each."""
