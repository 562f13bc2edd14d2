"""Settings of the nbgrader course: ``nbgrader ...`` reads them in this folder."""

c = get_config()  # noqa: F821 (nbgrader defines it)
c.CourseDirectory.course_id = "conv"
# The stub stays above the solution, which is replaced by this line.
c.ClearSolutions.code_stub = {"python": "# Change what stands above."}
c.ExecutePreprocessor.timeout = 300  # seconds a cell
