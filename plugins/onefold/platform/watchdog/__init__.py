"""The watchdog: a process beside Airflow that restarts what died, hangs or stands still, and says so.

Airflow watches its tasks, nobody watches Airflow. LocalExecutor's workers share one queue, and the idle worker that
reads it holds its lock: kill that one, and the lock is held for ever. The scheduler forks another worker, which waits
for the lock like all others; heartbeats go on, every page is green, and nothing runs any more. (A worker that is killed
with its task is noticed: the task's heartbeats stop, and Airflow tries the task again.)

observe.py takes a snapshot, decide.py says what is wrong and what to restart, react.py does it.
"""
