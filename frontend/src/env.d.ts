interface ImportMetaEnv {
  readonly VITE_SERVER?: string;
}
