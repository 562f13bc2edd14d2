"""Settings of the nbgrader course, which nbgrader reads when it runs in this folder."""

c = get_config()  # noqa: F821 (nbgrader defines it)
c.CourseDirectory.course_id = "conv"
# The stub stays above the solution; this line replaces the solution.
c.ClearSolutions.code_stub = {"python": "# Edit the code above this line."}
c.ExecutePreprocessor.timeout = 300  # seconds per cell
