import os

from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine(os.environ['DATABASE_URL'], pool_size=2)

with engine.connect() as connection:
    connection.execute(text('select 1 from owls limit 1'))


@app.route('/')
def index():
    with engine.connect() as connection:
        return 'owls: %s\n' % connection.execute(text('select count(*) from owls')).scalar()
