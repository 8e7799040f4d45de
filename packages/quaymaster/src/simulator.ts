/** A simulated Quay, for rehearsals and other people's tests: what runs behind `sim:` URLs and `quaymaster simulate`. */
export * from "@quaymaster/simulator"
