import os

from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = None


def connect():
    global engine
    if engine is None:
        engine = create_engine(os.environ['DATABASE_URL'], pool_size=2)
    return engine.connect()


@app.route('/')
def index():
    with connect() as connection:
        return 'owls: %s\n' % connection.execute(text('select count(*) from owls')).scalar()
